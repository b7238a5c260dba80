package interleave

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSched runs kernel/sched, with the queues of kernel/lockfree below it, on CPUs that take turns at each access to shared memory, by
// seeds, some of them stopped for long as by a hypervisor. The packages are built as they are, but that sync/atomic is replaced
// (package atomic); testdata/sched_turns_test.go is what runs.
func TestSched(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	replace := map[string]string{}
	for _, dir := range []string{"kernel/sched", "kernel/lockfree"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source := string(text)
			if strings.HasSuffix(f, "_test.go") || !strings.Contains(source, `"sync/atomic"`) || strings.Contains(source, "atomic.Pointer") {
				continue
			}
			source = strings.Replace(source, `"sync/atomic"`, `"pdac/test/interleave/atomic"`, 1)
			source = strings.ReplaceAll(source, "//go:nosplit", "//") // a step is a call
			to := filepath.Join(temp, filepath.Base(dir)+"_"+filepath.Base(f))
			if err := os.WriteFile(to, []byte(source), 0o644); err != nil {
				t.Fatal(err)
			}
			replace[f] = to
		}
	}
	replace[filepath.Join(root, "kernel/sched/sched_turns_test.go")] = filepath.Join(root, "test/interleave/testdata/sched_turns_test.go")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(temp, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o644); err != nil {
		t.Fatal(err)
	}
	rounds := "2000"
	if testing.Short() {
		rounds = "300"
	}
	cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-overlay", overlay, "-run", "^TestTurns$", "./kernel/sched")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "ROUNDS="+rounds)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
