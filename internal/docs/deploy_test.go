package docs_test

import (
	"errors"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// fallback is the default of a key of the configuration.
func fallback(t *testing.T, name string) string {
	t.Helper()
	text, ok := schemaKeys(t)[name].fallback.(string)
	if !ok {
		t.Fatalf("%s has no default", name)
	}
	return text
}

// longerThanShutdown wants what starts the bridge to wait longer than the bridge takes to stop.
func longerThanShutdown(t *testing.T, what, text string) {
	t.Helper()
	most, err := time.ParseDuration(fallback(t, "shutdown_timeout"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := time.ParseDuration(text)
	if err != nil || got < most+10*time.Second {
		t.Errorf("%s is %s: the bridge takes up to %s, and some seconds to close", what, text, most)
	}
}

// isUse wants a list of arguments to be right use of the program.
func isUse(t *testing.T, what string, args []string) {
	t.Helper()
	if why := wrongUse(t, args); why != "" || len(args) == 0 {
		t.Errorf("%s: %v: %s", what, args, why)
	}
}

// isHealth wants an address to be that of the health page at the default of http.listen.
func isHealth(t *testing.T, what, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Host != fallback(t, "http.listen") {
		t.Errorf("%s asks %s; the bridge listens at %s", what, address, fallback(t, "http.listen"))
		return
	}
	isPage(t, what, u.Path)
}

// isPage wants a path to be one that the bridge serves.
func isPage(t *testing.T, what, page string) {
	t.Helper()
	if !strings.Contains(read(t, "cmd/bridge/web.go"), `"GET `+page+`"`) {
		t.Errorf("%s asks for %s, which the bridge does not serve", what, page)
	}
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := read(t, "Dockerfile")
	find := func(pattern string) string {
		t.Helper()
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("Dockerfile has nothing like %s", pattern)
		}
		return m[1]
	}
	if image, module := find(`golang:([0-9.]+)`), regexp.MustCompile(`(?m)^go ([0-9]+\.[0-9]+)`).FindStringSubmatch(read(t, "go.mod"))[1]; image != module {
		t.Errorf("built with Go %s, go.mod wants %s", image, module)
	}
	variable := find(`-X main\.([a-z]+)=\$VERSION`)
	if !strings.Contains(read(t, "cmd/bridge/version.go"), "var "+variable+" = ") {
		t.Errorf("cmd/bridge has no variable %s", variable)
	}
	isHealth(t, "HEALTHCHECK", find(`"(http://[^"]+)"`))
	var args []string
	for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(find(`(?m)^CMD (\[.*\])$`), -1) {
		args = append(args, m[1])
	}
	isUse(t, "CMD", args)
	if program := find(`ENTRYPOINT \["([^"]+)"\]`); program != find(`COPY --from=build /out/bridge (\S+)`) {
		t.Errorf("ENTRYPOINT %s is not where the program is", program)
	}
	if find(`(?m)^VOLUME (\S+)`) != find(`(?m)^WORKDIR (/data)`) || !path.IsAbs(find(`BRIDGE_CONFIG=(\S+)`)) {
		t.Error("the store is not in the volume")
	}
	if user := find(`(?m)^USER (\S+)`); !strings.HasPrefix(user, "65532") {
		t.Errorf("runs as %s", user)
	}
}

// TestDockerignore wants all that the program is built from to reach the builder, and no secret.
func TestDockerignore(t *testing.T) {
	t.Parallel()
	text := "\n" + read(t, ".dockerignore")
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/bridge")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.FieldsSeq(string(out)) {
		if rel, ours := strings.CutPrefix(line, "github.com/clickai/bridge/"); ours {
			top, _, _ := strings.Cut(rel, "/")
			if !strings.Contains(text, "\n!"+top+"\n") {
				t.Errorf("%s does not reach the builder", top)
			}
		}
	}
	for _, want := range []string{"*", "!go.mod", "!go.sum", "**/.env", "**/*.db"} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf(".dockerignore lacks %s", want)
		}
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	var file struct {
		Services map[string]struct {
			Command     []string `yaml:"command"`
			EnvFile     []string `yaml:"env_file"`
			Volumes     []string `yaml:"volumes"`
			Tmpfs       []string `yaml:"tmpfs"`
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
			Restart     string   `yaml:"restart"`
			StopGrace   string   `yaml:"stop_grace_period"`
			Healthcheck struct {
				Test        []string `yaml:"test"`
				Interval    string   `yaml:"interval"`
				Timeout     string   `yaml:"timeout"`
				StartPeriod string   `yaml:"start_period"`
				Retries     int      `yaml:"retries"`
			} `yaml:"healthcheck"`
			Image   string         `yaml:"image"`
			Build   map[string]any `yaml:"build"`
			Logging map[string]any `yaml:"logging"`
		} `yaml:"services"`
		Volumes map[string]any `yaml:"volumes"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "compose.yaml")), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	b, ok := file.Services["bridge"]
	if !ok || len(file.Services) != 1 {
		t.Fatalf("services are %v, want bridge alone", slices.Collect(maps.Keys(file.Services)))
	}
	isUse(t, "command", b.Command)
	isHealth(t, "healthcheck", b.Healthcheck.Test[len(b.Healthcheck.Test)-1])
	if tool := b.Healthcheck.Test[1]; !strings.Contains(read(t, "Dockerfile"), " "+tool+"\n") {
		t.Errorf("the image has no %s", tool)
	}
	longerThanShutdown(t, "stop_grace_period", b.StopGrace)
	mounted := map[string]string{}
	for _, v := range b.Volumes {
		parts := strings.Split(v, ":")
		mounted[parts[1]] = parts[0]
	}
	if name := mounted["/data"]; name == "" || !slices.Contains(slices.Collect(maps.Keys(file.Volumes)), name) {
		t.Error("the store's folder /data is no volume")
	}
	if config := b.Command[len(b.Command)-1]; mounted[path.Dir(config)] == "" {
		t.Errorf("nothing is mounted where %s is to be", config)
	}
	if !b.ReadOnly || !slices.Equal(b.CapDrop, []string{"ALL"}) || !slices.Contains(b.SecurityOpt, "no-new-privileges:true") || b.Restart == "" {
		t.Error("the service is not shut in, or is not started again")
	}
	if len(b.Tmpfs) != 1 || !strings.HasPrefix(b.Tmpfs[0], "/tmp:") || !slices.Equal(b.EnvFile, []string{".env"}) {
		t.Error("/tmp cannot be written, or the secrets are not handed over")
	}
}

func TestSystemd(t *testing.T) {
	t.Parallel()
	unit := map[string][]string{}
	for line := range strings.SplitSeq(read(t, "deploy/systemd/bridge.service"), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			unit[key] = append(unit[key], value)
		}
	}
	for _, command := range append(unit["ExecStart"], unit["ExecReload"]...) {
		args, ok := ofBridge(strings.Fields(command))
		switch {
		case ok:
			isUse(t, command, args)
			if !slices.Contains(args, "/etc/"+unit["ConfigurationDirectory"][0]+"/config.yaml") {
				t.Errorf("%s names no configuration", command)
			}
		case command != "/bin/kill -HUP $MAINPID":
			t.Errorf("%s is not the program", command)
		}
	}
	if last := unit["ExecReload"]; len(last) == 0 || !strings.Contains(last[len(last)-1], "-HUP") {
		t.Error("reload sends no SIGHUP")
	}
	longerThanShutdown(t, "TimeoutStopSec", unit["TimeoutStopSec"][0])
	if got, want := unit["WorkingDirectory"][0], "/var/lib/"+unit["StateDirectory"][0]; got != want {
		t.Errorf("WorkingDirectory is %s, want %s, where the store may be written", got, want)
	}
	if user := unit["User"][0]; !strings.Contains(read(t, "deploy/systemd/bridge.sysusers"), "\nu "+user+" ") {
		t.Errorf("nothing makes the user %s", user)
	}
	for key, want := range map[string]string{
		"ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "PrivateTmp": "yes",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "RestartPreventExitStatus": "2",
	} {
		if got := unit[key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

// probe is how Kubernetes asks.
type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// object is what the tests read of the manifest's objects.
type object struct {
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	StringData map[string]string `yaml:"stringData"`
	Spec       struct {
		Replicas                 int
		ServiceName              string                                     `yaml:"serviceName"`
		Selector                 map[string]any                             `yaml:"selector"`
		PublishNotReadyAddresses bool                                       `yaml:"publishNotReadyAddresses"`
		Claims                   []struct{ Metadata struct{ Name string } } `yaml:"volumeClaimTemplates"`
		Template                 struct {
			Spec struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Args    []string
					EnvFrom []map[string]struct{ Name string } `yaml:"envFrom"`
					Ports   []struct {
						Name          string
						ContainerPort string `yaml:"containerPort"`
					}
					StartupProbe   probe `yaml:"startupProbe"`
					LivenessProbe  probe `yaml:"livenessProbe"`
					ReadinessProbe probe `yaml:"readinessProbe"`
					VolumeMounts   []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
					SecurityContext struct {
						ReadOnlyRootFilesystem bool `yaml:"readOnlyRootFilesystem"`
					} `yaml:"securityContext"`
				}
			}
		}
	}
}

func TestKubernetes(t *testing.T) {
	t.Parallel()
	objects := map[string]object{}
	in := yaml.NewDecoder(strings.NewReader(read(t, "deploy/kubernetes/bridge.yaml")))
	for {
		var o object
		err := in.Decode(&o)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		objects[o.Kind] = o
	}
	set := objects["StatefulSet"].Spec
	pod := set.Template.Spec
	if set.Replicas != 1 || set.ServiceName != objects["Service"].Metadata.Name || !objects["Service"].Spec.PublishNotReadyAddresses {
		t.Error("want one replica with the Service's name, whose addresses are published also while a bot is not connected")
	}
	longerThanShutdown(t, "terminationGracePeriodSeconds", (time.Duration(pod.Grace) * time.Second).String())
	c := pod.Containers[0]
	isUse(t, "args", c.Args)
	for what, page := range map[string]string{"startupProbe": c.StartupProbe.HTTPGet.Path, "livenessProbe": c.LivenessProbe.HTTPGet.Path, "readinessProbe": c.ReadinessProbe.HTTPGet.Path} {
		isPage(t, what, page)
	}
	if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Error("a bot that is not connected must not end the pod: liveness is /healthz, readiness /readyz")
	}
	if c.EnvFrom[0]["secretRef"].Name != objects["Secret"].Metadata.Name || !c.SecurityContext.ReadOnlyRootFilesystem {
		t.Error("the secrets are not handed over, or the file system can be written")
	}
	config := objects["ConfigMap"].Data["config.yaml"]
	var parsed struct {
		Store struct{ Path string }
		HTTP  struct{ Listen string }
	}
	if err := yaml.Unmarshal([]byte(config), &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.HTTP.Listen != ":"+c.Ports[0].ContainerPort {
		t.Errorf("http.listen is %s, the container's port %s", parsed.HTTP.Listen, c.Ports[0].ContainerPort)
	}
	mounts := map[string]string{}
	for _, m := range c.VolumeMounts {
		mounts[m.MountPath] = m.Name
	}
	if mounts[path.Dir(parsed.Store.Path)] != set.Claims[0].Metadata.Name || mounts["/tmp"] == "" || mounts[path.Dir(c.Args[len(c.Args)-1])] == "" {
		t.Errorf("mounts are %v: store, configuration and /tmp are wanted", mounts)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var env []string
	for name, value := range objects["Secret"].StringData {
		env = append(env, name+"="+value)
	}
	if r := run(t, dir, env, "check", "--offline", "--config", file); r.code != 0 {
		t.Errorf("the ConfigMap's configuration is refused:\n%s", r.err)
	}
}
