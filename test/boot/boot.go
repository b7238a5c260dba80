package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// NoNodes, as Options.Nodes, adds no -numa: for a topology in Options.Raw.
const NoNodes = -1

// Options of a boot, those of scripts/run-qemu.sh. What is zero takes the
// script's default, but for Timeout.
type Options struct {
	Image   string // folder of the program in this repository, "." if empty
	Kernel  string // an image that is built already, instead of Image
	CPUs    int
	Nodes   int
	Mem     string
	Machine string // q35 or pc
	CPU     string // QEMU's -cpu
	Exec    string
	Append  string
	Initrd  string
	Stdin   string
	Input   io.Reader // instead of Stdin
	Icount  bool
	Raw     []string      // more arguments of QEMU
	Timeout time.Duration // 3 minutes if zero: a boot takes seconds, but hosts get busy

	// Line, if any, gets each line of the console as soon as it is complete.
	Line func(line string)
}

// Status values of scripts/run-qemu.sh that no guest gave.
const (
	StatusTimeout = 124
	StatusDied    = 125
)

// Result is what came of a boot.
type Result struct {
	Status int    // the guest's exit code, or a Status above
	Output string // the console, lines ended by "\n"
}

// Need skips the test unless boots are asked for.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv("PDAC_BOOT") != "1" {
		t.Skip("boots an image: set PDAC_BOOT=1, or use make test")
	}
}

// Boot boots an image and waits for its end.
func Boot(t testing.TB, o Options) Result {
	t.Helper()
	Need(t)
	if o.Kernel == "" {
		o.Kernel = Image(t, o.Image)
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Minute
	}
	// The script has a time-out of its own; this one is for a script that hangs.
	ctx, cancel := context.WithTimeout(context.Background(), o.Timeout+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(Root(t), "scripts/run-qemu.sh"), o.args()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends QEMU
	cmd.WaitDelay = 10 * time.Second
	if o.Stdin != "" {
		cmd.Stdin = strings.NewReader(o.Stdin)
	}
	if o.Input != nil {
		cmd.Stdin = o.Input
		cmd.WaitDelay = time.Second // a reader that never ends
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if o.Line != nil {
		cmd.Stdout = io.MultiWriter(&out, &lineWriter{call: o.Line})
	}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	r := Result{cmd.ProcessState.ExitCode(), strings.ReplaceAll(out.String(), "\r\n", "\n")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\nstatus %d\n%s%s", strings.Join(cmd.Args, " "), r.Status, tail(r.Output), stderr.String())
		}
	})
	return r
}

// lineWriter calls call for each line that is written to it.
type lineWriter struct {
	call func(line string)
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.call(strings.TrimSuffix(string(line), "\r"))
		w.rest = rest
	}
}

func (o Options) args() []string {
	args := []string{"--kernel", o.Kernel, "--timeout", strconv.FormatFloat(o.Timeout.Seconds(), 'f', -1, 64)}
	add := func(option, value string) {
		if value != "" {
			args = append(args, option, value)
		}
	}
	if o.CPUs != 0 {
		add("--cpus", strconv.Itoa(o.CPUs))
	}
	if o.Nodes != 0 {
		add("--nodes", strconv.Itoa(max(o.Nodes, 0)))
	}
	add("--mem", o.Mem)
	add("--machine", o.Machine)
	add("--exec", o.Exec)
	add("--append", o.Append)
	add("--initrd", o.Initrd)
	if o.Icount {
		args = append(args, "--icount")
	}
	args = append(args, "--")
	if o.CPU != "" {
		args = append(args, "-cpu", o.CPU)
	}
	return append(args, o.Raw...)
}

// tail returns the end of a long console.
func tail(s string) string {
	const most = 16 << 10
	if len(s) > most {
		return "... " + s[len(s)-most:]
	}
	return s
}

// Want fails the test unless the guest exited with status and printed each text.
func (r Result) Want(t testing.TB, status int, texts ...string) {
	t.Helper()
	if r.Status != status {
		t.Errorf("status %d, want %d", r.Status, status)
	}
	for _, text := range texts {
		if !strings.Contains(r.Output, text) {
			t.Errorf("the console lacks %q", text)
		}
	}
}

// JSON decodes into v the first line of the console that is a JSON object with
// a member of this name, as the console's -j commands print it.
func (r Result) JSON(t testing.TB, member string, v any) {
	t.Helper()
	for line := range strings.Lines(r.Output) {
		var object map[string]json.RawMessage
		// A prompt may stand before it.
		_, line, ok := strings.Cut(line, "{")
		if !ok || json.Unmarshal([]byte("{"+line), &object) != nil || object[member] == nil {
			continue
		}
		if err := json.Unmarshal([]byte("{"+line), v); err != nil {
			t.Fatalf("console object with %q: %v", member, err)
		}
		return
	}
	t.Fatalf("the console has no JSON object with %q", member)
}

// Root returns the repository's folder.
var Root = func() func(t testing.TB) string {
	find := sync.OnceValues(func() (string, error) {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "pdac").Output()
		return strings.TrimSpace(string(out)), err
	})
	return func(t testing.TB) string {
		t.Helper()
		root, err := find()
		if err != nil {
			t.Fatal("finding the repository: ", err)
		}
		return root
	}
}()

var built sync.Map // folder -> func() (string, error) that builds it once

// Image returns the image of the program in folder dir of the repository. It
// is built once in a run of the tests.
func Image(t testing.TB, dir string) string {
	t.Helper()
	if dir == "" {
		dir = "."
	}
	root := Root(t)
	build, _ := built.LoadOrStore(dir, sync.OnceValues(func() (string, error) {
		// The standard image carries files: the Makefile knows which.
		out := filepath.Join(root, "build", "pdac.elf")
		cmd := exec.Command("make", "kernel")
		if dir != "." {
			out = filepath.Join(root, "build", "test", strings.ReplaceAll(filepath.Clean(dir), "/", "-")+".elf")
			if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
				return "", err
			}
			cmd = exec.Command("go", "run", "./cmd/kbuild", "-o", out, dir)
		}
		cmd.Dir = root
		if msg, err := cmd.CombinedOutput(); err != nil {
			return "", errors.New(strings.TrimSpace(string(msg)))
		}
		return out, nil
	}))
	out, err := build.(func() (string, error))()
	if err != nil {
		t.Fatalf("building %s: %v", dir, err)
	}
	return out
}
