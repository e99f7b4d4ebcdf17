package core

import (
	"bytes"
	"testing"
)

// FuzzVoice holds that speech of any kind becomes a file, that joining it again changes nothing, and that what is no file
// of a known kind stays as it is.
func FuzzVoice(f *testing.F) {
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x02\x00\x00\x00\x01\x00data\x02\x00\x00\x00abRIFF\x00\x00\x00\x00WAVE"))
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab\xff\xfb\x90\xc4"))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEdata"))
	f.Add([]byte("OggS"))
	f.Fuzz(func(t *testing.T, audio []byte) {
		if isWAV(audio) {
			once := joinWAV(audio)
			if twice := joinWAV(once); isWAV(once) && !bytes.Equal(once, twice) {
				t.Errorf("%q becomes %q, then %q", audio, once, twice)
			}
		} else if once := joinMP3(audio); len(once) > len(audio) {
			t.Errorf("%q grows to %q", audio, once)
		}
		if file := voiceFile(audio); file.Size < 0 || file.MIME == "" || file.Name == "" {
			t.Errorf("file %+v", file)
		}
	})
}
