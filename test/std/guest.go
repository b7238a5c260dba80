package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	folder  = "build/std"
	archive = folder + "/goroot.cpio"
	goroot  = "/go" // in the guest
)

// machine is the guest to run in.
type machine struct {
	cpus    int
	mem     string
	timeout time.Duration
}

// image is the test binary of a package, or the reason why there is none.
type image struct {
	pkg     pkg
	file    string
	missing string
}

// prepare builds the tools and the archive of files that all guests get: GOROOT
// without the go command's sources.
func prepare() error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := command("go", "build", "-o", folder+"/", "./cmd/kbuild", "./cmd/mkarchive").Run(); err != nil {
		return fmt.Errorf("building the tools: %w", err)
	}
	out, err := command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	root := strings.TrimSpace(string(out))
	args := []string{"-o", archive, "-root", goroot, filepath.Join(root, "lib/time") + "=lib/time"}
	entries, err := os.ReadDir(filepath.Join(root, "src"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != "cmd" {
			args = append(args, filepath.Join(root, "src", e.Name())+"=src/"+e.Name())
		}
	}
	if err := command(folder+"/mkarchive", args...).Run(); err != nil {
		return fmt.Errorf("archiving GOROOT: %w", err)
	}
	return nil
}

// build builds the image of a package's tests.
func build(p pkg) image {
	i := image{pkg: p, file: filepath.Join(folder, strings.ReplaceAll(p.ImportPath, "/", "-")+".elf")}
	switch reason := unable[p.ImportPath]; {
	case reason != "":
		i.missing = reason
	case !p.hasTests():
		i.missing = "no test files"
	default:
		if msg, err := exec.Command(folder+"/kbuild", "-test", "-o", i.file, p.ImportPath).CombinedOutput(); err != nil {
			i.file, i.missing = "", string(msg)
		}
	}
	return i
}

// result runs the image.
func (i image) result(m machine) result {
	switch {
	case i.missing == "":
	case i.file == "":
		return result{verdict: "FAIL", tally: tally{failed: 1}, reason: "not built", said: i.missing}
	default:
		return result{verdict: "skip", reason: i.missing}
	}
	line := commandLine(i.pkg.ImportPath, m)
	if len(line) > maxLine {
		return result{verdict: "FAIL", tally: tally{failed: 1}, reason: fmt.Sprintf("a command line of %d bytes, at most %d", len(line), maxLine)}
	}
	cmd := exec.Command("scripts/run-qemu.sh", "--kernel", i.file, "--initrd", archive, "--cpus", strconv.Itoa(m.cpus), "--mem", m.mem,
		"--timeout", strconv.FormatFloat(m.timeout.Seconds(), 'f', -1, 64), "--append", line)
	out, err := cmd.CombinedOutput()
	console := strings.ReplaceAll(string(out), "\r\n", "\n")
	status := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		return result{verdict: "FAIL", tally: tally{failed: 1}, reason: err.Error()}
	}
	if err := os.WriteFile(strings.TrimSuffix(i.file, ".elf")+".log", []byte(console), 0o644); err != nil {
		console += err.Error()
	}
	r := read(console, status)
	r.skipped += len(skipped(i.pkg.ImportPath))
	if r.verdict == "ok" {
		os.Remove(i.file)
	}
	return r
}

// commandLine is the kernel's, for a package's tests.
func commandLine(path string, m machine) string {
	args := []string{
		"-test.v=test2json", "-test.short", "-test.paniconexit0",
		"-test.timeout=" + (m.timeout * 9 / 10).String(), // comes before ours, and shows the goroutines
	}
	if names := skipped(path); len(names) > 0 {
		args = append(args, "-test.skip="+pattern(names))
	}
	line := "env.GOROOT=" + goroot + " cwd=" + goroot + "/src/" + path + " --"
	for _, a := range args {
		line += " " + quoted(a)
	}
	return line
}

// maxLine is the longest kernel command line, in bytes (kernel/cmdline.go).
const maxLine = 4096

// quoted is a word in the double quotes of the kernel command line.
func quoted(word string) string {
	var b bytes.Buffer
	b.WriteByte('"')
	for _, c := range []byte(word) {
		if c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	b.WriteByte('"')
	return b.String()
}
