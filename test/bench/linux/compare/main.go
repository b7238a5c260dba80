package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	folder      = "test/bench/linux"
	gateFolder  = "test/bench/gate" // of PDAC alone, as are the next
	dagFolder   = "test/bench/dag"
	schedFolder = "test/bench/sched"
	recordFile  = folder + "/record.txt"
)

func main() {
	withLinux := flag.Bool("linux", false, "run the Linux guest too")
	write := flag.Bool("record", false, "write the figures into the record")
	two := flag.Bool("forkjoin", false, "compare what a second CPU is good for, and nothing else")
	flag.Parse()
	compare := func() error { return run(*withLinux, *write) }
	if *two {
		compare = forkjoin
	}
	if err := compare(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(withLinux, write bool) error {
	root, err := output("", "go", "list", "-m", "-f", "{{.Dir}}", "pdac")
	if err != nil {
		return err
	}
	record, err := readRecord(filepath.Join(root, recordFile))
	if err != nil {
		return err
	}
	var linux figures
	if withLinux {
		if linux, err = runLinux(root); err != nil {
			return fmt.Errorf("Linux guest: %w", err)
		}
	}
	pdac, err := runPDAC(root)
	if err != nil {
		return fmt.Errorf("PDAC guest: %w", err)
	}
	record.update(linux, pdac)
	record.print(os.Stdout)
	if write {
		return record.write(filepath.Join(root, recordFile))
	}
	return nil
}

// Both guests have one node and the same memory.
const memory = "512M"

// buildPDAC builds a program as an image.
func buildPDAC(root, program string) (image string, err error) {
	image = filepath.Join(root, "build", "bench", filepath.Base(program)+".elf")
	if err := os.MkdirAll(filepath.Dir(image), 0o755); err != nil {
		return "", err
	}
	_, err = output(root, "go", "run", "./cmd/kbuild", "-o", image, program)
	return image, err
}

// runPDAC builds and boots the benchmark, the minimal program, and the benchmarks of gate, DAG executor and scheduler as images.
func runPDAC(root string) (figures, error) {
	var console strings.Builder
	for _, program := range []string{folder, folder + "/minimal", gateFolder, dagFolder, schedFolder} {
		image, err := buildPDAC(root, program)
		if err != nil {
			return nil, err
		}
		out, err := output(root, "scripts/run-qemu.sh", "--icount", "--mem", memory, "--timeout", "600", "--kernel", image)
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", program, err, out)
		}
		console.WriteString(out + "\n")
	}
	return parse(strings.NewReader(console.String()))
}

// buildLinux builds a program as /init, in an archive.
func buildLinux(root, program string) (archive string, err error) {
	name := filepath.Join(root, "build", "linux", filepath.Base(program))
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", name, "./"+program)
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if msg, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, msg)
	}
	_, err = output(root, "go", "run", "./cmd/mkarchive", "-o", name+".cpio", name+"=init")
	return name + ".cpio", err
}

// runLinux boots the same programs as /init of Debian's cloud kernel.
func runLinux(root string) (figures, error) {
	kernel, err := output(root, folder+"/fetch-kernel.sh")
	if err != nil {
		return nil, err
	}
	var console strings.Builder
	for _, program := range []string{folder, folder + "/minimal"} {
		archive, err := buildLinux(root, program)
		if err != nil {
			return nil, err
		}
		// Linux ends by a reset, not by an exit code: what it printed tells.
		out, _ := output(root, "scripts/run-qemu.sh", "--icount", "--nodes", "0", "--mem", memory, "--timeout", "600",
			"--kernel", kernel, "--initrd", archive, "--append", "console=ttyS0 quiet mode=bench")
		if !strings.Contains(out, "MAIN reached") {
			return nil, fmt.Errorf("%s did not reach main.main:\n%s", program, out)
		}
		console.WriteString(out + "\n")
	}
	return parse(strings.NewReader(console.String()))
}

// output runs a command in folder dir and returns what it prints, without the
// last newline. The error holds its standard error.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	if strings.HasSuffix(name, ".sh") {
		cmd.Path = filepath.Join(dir, name)
		cmd.Err = nil
	}
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSuffix(string(out), "\n"), err
}
