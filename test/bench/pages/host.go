package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

const folder = "./test/bench/pages"

var modes = []string{"never", "madvise", "always"}

func onHost() error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "pdac").Output()
	if err != nil {
		return err
	}
	if err := os.Chdir(strings.TrimSpace(string(root))); err != nil {
		return err
	}
	image := filepath.Join("build", "bench", "pages.elf")
	if err := os.MkdirAll(filepath.Dir(image), 0o755); err != nil {
		return err
	}
	if out, err := exec.Command("go", "run", "./cmd/kbuild", "-o", image, folder).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "program\thugepages\tinstructions\tmemory KiB\tfaults 4 KiB\t2 MiB\tto main.main")
	for _, program := range []string{"small", "alloc", "gc", "random"} {
		for _, mode := range modes {
			r, err := boot(image, program, mode, "--icount", "--mem", "512M")
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", program, mode, r.Took, r.Bytes>>10, r.Faults4K, r.Faults2M, r.Boot)
		}
		w.Flush()
	}
	fmt.Fprintln(w, "hugepages\tlocal objects in three runs\tmemory KiB")
	for _, mode := range modes {
		fmt.Fprint(w, mode, "\t")
		var r result
		for range 3 {
			if r, err = boot(image, "local", mode, "--cpus", "4", "--nodes", "2", "--mem", "1G"); err != nil {
				return err
			}
			fmt.Fprintf(w, "%.1f%% ", 100*r.Local)
		}
		fmt.Fprintf(w, "\t%d\n", r.Bytes>>10)
	}
	return w.Flush()
}

// boot runs a program in the guest.
func boot(image, program, mode string, args ...string) (r result, err error) {
	args = append(args, "--kernel", image, "--timeout", "300", "--append", "console=off hugepages="+mode+" -- "+program)
	out, err := exec.Command("scripts/run-qemu.sh", args...).Output()
	if err != nil {
		return r, fmt.Errorf("%s, hugepages=%s: %w\n%s", program, mode, err, out)
	}
	_, text, _ := strings.Cut(string(out), mark)
	text, _, _ = strings.Cut(text, "\n")
	return r, json.Unmarshal([]byte(text), &r)
}
