package playground_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim/clickai"
)

var pictures = flag.String("pictures", "", "folder to write the page's pictures to; empty: they are made and thrown away")

// TestPictures makes the pictures of the documentation: wide and narrow, light and dark.
func TestPictures(t *testing.T) {
	t.Parallel()
	dir := *pictures
	if dir == "" {
		dir = t.TempDir()
	}
	w := open(t, func(o *playground.WorldOptions) {
		o.Standins.ClickAI.Apps = clickai.DemoApps()
		if *pictures != "" {
			o.Standins.ChunkInterval = 45 * time.Millisecond // as in the demo
		}
	})
	p := w.browse(1760, 1040)
	for _, q := range []struct{ platform, text, shows string }{
		{"slack", "Show me some code", "pre"}, {"discord", "Make a picture", "img"}, {"telegram", "What does the warranty cover?", "pre"},
	} {
		p.write(q.platform, q.text)
		p.wait("what is asked for on "+q.platform, "document.querySelector('"+pane(q.platform)+" .message.bot "+q.shows+"')")
	}
	p.wait("the picture", `document.querySelector('#pane-discord .files img')?.complete`)
	p.wait("three whole turns", `document.querySelectorAll('.turn .status.finished').length === 3`)
	m := w.await("telegram", "the answer", answerTo("to see more"))
	if err := w.platform("telegram").React(t.Context(), m.Ref, w.Set.Stages()[2].Person, "👍"); err != nil {
		t.Fatal(err)
	}
	p.wait("the reaction and its rating", `document.querySelector('#pane-telegram .reaction') && document.querySelector('.turn.open .facts')?.textContent.includes('like')`)
	shoot := func(name string, width, height int64, scheme string) {
		p.do(chromedp.EmulateViewport(width, height), colours(scheme))
		p.wait("the fonts", `document.fonts.status === 'loaded'`)
		data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if len(data) < 10_000 {
			t.Errorf("%s: a picture of %d bytes shows nothing", name, len(data))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shoot("playground-wide-light", 1760, 1040, "light")
	shoot("playground-wide-dark", 1760, 1040, "dark")
	for _, scheme := range []string{"light", "dark"} {
		p.do(chromedp.EmulateViewport(412, 892))
		p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#tabs button[data-pane="pane-slack"]').click()`))
		shoot("playground-narrow-"+scheme, 412, 892, scheme)
	}
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#tabs button[data-pane="pane-clickai"]').click()`))
	shoot("playground-narrow-clickai", 412, 892, "light")
}

// colours sets what prefers-color-scheme says.
func colours(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}
