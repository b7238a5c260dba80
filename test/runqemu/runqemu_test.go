package runqemu

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const script = "../../scripts/run-qemu.sh"

// fakeQEMU writes its console to stdout and to the log as QEMU's stdio chardev
// does, then ends as FAKE says. Its PID lands beside it.
const fakeQEMU = `#!/usr/bin/env bash
for a in "$@"; do [[ $a == *logfile=* ]] && log=${a#*logfile=}; done
echo $$ >"${0%/*}/pid"
say() { printf "$1" | tee -a "$log"; }
eval "$FAKE"
`

type run struct {
	status      int
	out, stderr string
}

// qemuDir returns a folder for PATH with a QEMU of ours.
func qemuDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "qemu-system-x86_64"), []byte(fakeQEMU), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func command(dir, fake string, args ...string) *exec.Cmd {
	cmd := exec.Command(script, append([]string{"--kernel", script, "--accel", "tcg"}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "FAKE="+fake, "TMPDIR="+dir)
	return cmd
}

func start(t *testing.T, fake string, args ...string) run {
	t.Helper()
	dir := qemuDir(t)
	cmd := command(dir, fake, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	clean(t, dir)
	return run{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// clean fails if a run left its log or its QEMU behind.
func clean(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		return
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err == nil {
		t.Errorf("QEMU (PID %s) still runs", bytes.TrimSpace(pid))
	}
}

func TestDryRun(t *testing.T) {
	for _, c := range []struct {
		name      string
		args      []string
		want, not []string
	}{
		{"defaults", nil,
			[]string{"-machine q35", "-smp 4,sockets=2,cores=2,threads=1", "-m 1024M", "size=512M", "node,nodeid=1,memdev=ram1,cpus=2-3",
				"dist,src=0,dst=1,val=20", "-accel tcg,thread=multi", "isa-debug-exit,iobase=0xf4", "-no-reboot", "virtio-rng-pci"},
			[]string{"-append", "-initrd", "-S ", "nodeid=2", "-icount"}},
		{"no nodes of its own", []string{"--nodes", "0", "--", "-numa", "node,nodeid=0"},
			[]string{"-smp 4 ", "-numa node,nodeid=0 "}, []string{"memdev", "dist,", "sockets"}},
		{"more nodes than CPUs", []string{"--cpus", "1", "--nodes", "3"},
			[]string{"-smp 1 ", "node,nodeid=0,memdev=ram0 ", "node,nodeid=1,memdev=ram1 ", "node,nodeid=2,memdev=ram2,cpus=0-0"}, nil},
		{"uneven memory", []string{"--nodes", "3", "--mem", "1G"},
			[]string{"id=ram0,size=341M", "id=ram1,size=341M", "id=ram2,size=342M", "-smp 4 ", "dist,src=1,dst=2"}, nil},
		{"memory in KiB", []string{"--mem", "131072K"}, []string{"-m 128M"}, nil},
		{"memory in MiB", []string{"--mem", "8192"}, []string{"-m 8192M"}, nil},
		{"memory in TiB", []string{"--mem", "1T"}, []string{"-m 1048576M"}, nil},
		{"leading zeros are decimal", []string{"--cpus", "010", "--nodes", "08"}, []string{"-smp 10 ", "nodeid=7"}, []string{"nodeid=8"}},
		{"command line", []string{"--exec", `say "a\b"; numa -j`, "--append", "loglevel=debug -- x"},
			[]string{`exec="say \"a\\b\"; numa -j" loglevel=debug -- x`}, nil},
		{"icount", []string{"--icount"},
			[]string{"-smp 1 ", "nodeid=0,", "-accel tcg ", "-icount shift=0,sleep=off -seed 1 -rtc clock=vm"}, []string{"nodeid=1", "virtio-rng", "thread=multi"}},
		{"pc", []string{"--machine", "pc"}, []string{"-machine pc "}, nil},
		{"kvm", []string{"--accel", "kvm"}, []string{"-accel kvm -cpu host"}, nil},
		{"gdb", []string{"--gdb"}, []string{"-S -gdb tcp::1234"}, nil},
		{"initrd", []string{"--initrd", script}, []string{"-initrd " + script}, nil},
		{"raw last", []string{"--", "-cpu", "qemu64", "--dry-run"}, []string{"-cpu qemu64 --dry-run"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, "exit 99", append([]string{"--dry-run"}, c.args...)...)
			if r.status != 0 || r.stderr != "" {
				t.Fatalf("status %d, stderr %q", r.status, r.stderr)
			}
			line := unquoted(t, r.out)
			for _, w := range c.want {
				if !strings.Contains(line, w) {
					t.Errorf("lacks %q: %s", w, line)
				}
			}
			for _, w := range c.not {
				if strings.Contains(line, w) {
					t.Errorf("has %q: %s", w, line)
				}
			}
		})
	}
}

// unquoted lets bash read the printed command: what it would run, blank-separated.
func unquoted(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.Command("bash", "-c", "printf '%s ' "+line).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestWrongUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--cpu 4", "unknown option '--cpu'"},
		{"kernel.elf", "unknown option 'kernel.elf'"},
		{"--cpus", "--cpus wants a value"},
		{"--cpus 0", "1 to 255, not '0'"},
		{"--cpus 256", "1 to 255"},
		{"--cpus four", "not 'four'"},
		{"--nodes -1", "not '-1'"},
		{"--nodes 65", "0 to 64"},
		{"--mem 1GB", "not '1GB'"},
		{"--mem 0", "more than '0'"},
		{"--mem 1000K", "whole MiB"},
		{"--mem 2 --nodes 3", "at least 3 MiB"},
		{"--timeout 1m", "not '1m'"},
		{"--machine microvm", "q35 or pc, not 'microvm'"},
		{"--accel hax", "not 'hax'"},
		{"--icount --cpus 2", "one CPU"},
		{"--icount --accel kvm", "--accel tcg"},
		{"--kernel /nowhere", "no kernel image /nowhere"},
		{"--initrd /nowhere", "no archive /nowhere"},
		{"--kernel .", "no kernel image ."},
		{"--initrd .", "no archive ."},
	} {
		t.Run(c.args, func(t *testing.T) {
			r := start(t, "say 'PDAC-EXIT 0\n'", strings.Fields(c.args)...)
			if r.status != 2 || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, c.want) || r.out != "" {
				t.Errorf("status %d, stderr %q, stdout %q; want status 2 and one line with %q", r.status, r.stderr, r.out, c.want)
			}
		})
	}
}

func TestHelpNamesEveryOption(t *testing.T) {
	r := start(t, "exit 99", "--help")
	if r.status != 0 {
		t.Errorf("status %d", r.status)
	}
	for _, o := range strings.Fields("kernel cpus nodes mem append exec initrd timeout machine accel icount gdb dry-run") {
		if !strings.Contains(r.out, "\n  --"+o+" ") {
			t.Errorf("no --%s in the help", o)
		}
	}
}

func TestExitStatus(t *testing.T) {
	for _, c := range []struct {
		name, fake string
		want       int
	}{
		{"zero by debug-exit", `say 'hello\r\nPDAC-EXIT 0\r\n'; exit 1`, 0},
		{"seven by debug-exit", `say 'PDAC-EXIT 7\r\n'; exit 15`, 7},
		{"code past QEMU's seven bits", `say 'PDAC-EXIT 200\r\n'; exit $((401 & 255))`, 200},
		{"by power off", `say 'PDAC-EXIT 3\r\n'; exit 0`, 3},
		{"no newline at the end", `say 'PDAC-EXIT 4'; exit 9`, 4},
		{"QEMU fails at start", `exit 1`, 125},
		{"power off without the line", `say 'bye\r\n'; exit 0`, 125},
		{"line is not the last", `say 'PDAC-EXIT 0\r\npanic\r\n'; exit 1`, 125},
		{"line within a line", `say 'echo PDAC-EXIT 0\r\n'; exit 1`, 125},
		{"status contradicts", `say 'PDAC-EXIT 0\r\n'; exit 3`, 125},
		{"QEMU killed after the line", `say 'PDAC-EXIT 0\r\n'; kill -KILL $$`, 125},
		{"no such code", `say 'PDAC-EXIT 999\r\n'; exit 0`, 125},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := start(t, c.fake); r.status != c.want {
				t.Errorf("status %d, want %d (stderr %q)", r.status, c.want, r.stderr)
			} else if (c.want == 125) != (r.stderr != "") {
				t.Errorf("status %d with stderr %q", r.status, r.stderr)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	r := start(t, `say 'working\n'; exec sleep 60`, "--timeout", "0.3")
	if r.status != 124 || r.out != "working\n" {
		t.Errorf("status %d, output %q; want 124 and what the guest said", r.status, r.out)
	}
	if r := start(t, `say 'PDAC-EXIT 5\n'; exit 11`, "--timeout", "60"); r.status != 5 {
		t.Errorf("a guest in time: status %d, want 5", r.status)
	}
}

func TestTimeoutOfDeafQEMU(t *testing.T) {
	if r := start(t, `trap "" TERM; exec sleep 60`, "--timeout", "0.1"); r.status != 124 {
		t.Errorf("status %d, want 124", r.status)
	}
}

// TestConsoleIsLive holds a conversation: each side waits for the other.
func TestConsoleIsLive(t *testing.T) {
	dir := qemuDir(t)
	cmd := command(dir, `say 'name? '; read -r n; say "hello $n\n"; cat >/dev/null; say 'PDAC-EXIT 6\n'; exit 13`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	if q, err := out.ReadString('?'); q != "name?" {
		t.Fatalf("asked %q, %v", q, err)
	}
	if _, err := io.WriteString(in, "pdac\n"); err != nil {
		t.Fatal(err)
	}
	if a, err := out.ReadString('\n'); a != " hello pdac\n" {
		t.Fatalf("answered %q, %v", a, err)
	}
	in.Close()
	io.Copy(io.Discard, out)
	cmd.Wait()
	if s := cmd.ProcessState.ExitCode(); s != 6 {
		t.Errorf("status %d, want 6", s)
	}
	clean(t, dir)
}

func TestSignalEndsQEMU(t *testing.T) {
	// Under nohup SIGHUP is ignored, which the script would inherit and could not
	// undo. A signal that Go listens to is reset to its default for children.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	for _, s := range []struct {
		sig  syscall.Signal
		want int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}} {
		t.Run(s.sig.String(), func(t *testing.T) {
			dir := qemuDir(t)
			cmd := command(dir, `say 'up\n'; exec sleep 60`, "--timeout", "60")
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			out := bufio.NewReader(stdout)
			if _, err := out.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond) // into the script's wait; a signal before that is as good
			cmd.Process.Signal(s.sig)
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != s.want {
				t.Errorf("status %d, want %d", got, s.want)
			}
			clean(t, dir)
		})
	}
}

func TestNoQEMU(t *testing.T) {
	dir := t.TempDir()
	for _, tool := range []string{"bash", "dirname", "env", "grep"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(script, "--kernel", script)
	cmd.Env = []string{"PATH=" + dir}
	out, _ := cmd.CombinedOutput()
	if s := cmd.ProcessState.ExitCode(); s != 2 || !strings.Contains(string(out), "qemu-system-x86") {
		t.Errorf("status %d, output %q; want 2 and the package's name", s, out)
	}
}
