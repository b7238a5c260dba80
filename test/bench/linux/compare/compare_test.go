package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pdac/test/boot"
)

// TestRecord measures PDAC and compares with the committed record.
func TestRecord(t *testing.T) {
	boot.Need(t)
	root := boot.Root(t)
	r, err := readRecord(filepath.Join(root, recordFile))
	if err != nil {
		t.Fatal(err)
	}
	pdac, err := runPDAC(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(pdac) < 20 {
		t.Errorf("%d figures, want them all", len(pdac))
	}
	for _, line := range r.regressions(pdac) {
		t.Error(line)
	}
}

const sample = `MAIN reached tsc=1594486489
start: MemTotal:         480284 kB
BENCH RawSyscall(SYS_GETPPID)             397.7 ticks/op  (n=5000)
pdac> BENCH raw nanosleep(1ms) elapsed ticks: avg 1025599 min 564363 max 1078948 (n=50)
BENCH page fault 4K (touch fresh mmap)       6959.2 ticks/op  (n=16384)
BENCH   munmap per 4K                    1316.1 ticks/op  (n=16384)
BENCH   munmap per 4K                    1301.2 ticks/op  (n=16384)
BENCH sleep(1ms) overshoot ns: min 15396 p50 58224 p90 59253 p99 62497 max 62497 (n=200)
BENCH sched_yield 2 threads 1 cpu  2022.9 ticks/yield (A 5000, B 5000 yields)
DONE
`

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := figures{
		"reset to main.main":                    1594486489,
		"RawSyscall(SYS_GETPPID)":               397.7,
		"raw nanosleep(1ms) elapsed ticks: avg": 1025599,
		pageFault:                               6959.2,
		"munmap per 4K":                         1316.1,
		"munmap per 4K, huge pages":             1301.2,
		"sleep(1ms) overshoot ns: p50":          58224,
		"sched_yield 2 threads 1 cpu":           2022.9,
	}
	if len(got) != len(want) {
		t.Errorf("%d figures, want %d: %v", len(got), len(want), got)
	}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s = %v, want %v", name, got[name], v)
		}
	}
	if _, err := parse(strings.NewReader("BENCH nonsense\n")); err == nil {
		t.Error("a line without a figure is accepted")
	}
}

func TestRegressions(t *testing.T) {
	r := record{rows: []row{{"same", 1, 100, 0}, {"within", 1, 100, 0}, {"worse", 1, 100, 0}, {"gone", 1, 100, 0}, {"unmeasured so far", 1, 0, 0}}}
	worse := r.regressions(figures{"same": 100, "within": 104.9, "worse": 105.1, "unmeasured so far": 9, "new": 9})
	if len(worse) != 2 || !strings.HasPrefix(worse[0], "worse: 105.1") || !strings.HasPrefix(worse[1], "gone: not measured") {
		t.Errorf("regressions = %q", worse)
	}
}

func TestRecordFileRoundTrip(t *testing.T) {
	committed := filepath.Join(boot.Root(t), recordFile)
	r, err := readRecord(committed)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.rows) < 20 {
		t.Errorf("the record has %d rows", len(r.rows))
	}
	for _, w := range r.rows {
		if w.linux == 0 && w.pdac == 0 {
			t.Errorf("%s has no figure", w.name)
		}
	}
	file := filepath.Join(t.TempDir(), "record.txt")
	if err := r.write(file); err != nil {
		t.Fatal(err)
	}
	was, _ := os.ReadFile(committed)
	if is, _ := os.ReadFile(file); string(is) != string(was) {
		t.Errorf("written again it is\n%s\nwant\n%s", is, was)
	}
	r.update(figures{"added": 5}, nil)
	if n := len(r.rows); r.rows[n-1] != (row{"added", 5, 0, 0}) {
		t.Errorf("a new figure became %+v", r.rows[n-1])
	}
}

func TestReadRecordRefuses(t *testing.T) {
	for _, text := range []string{"name\t1\t2\n", "name\tx\t-\t-\n", "name\t-1\t-\t-\n"} {
		file := filepath.Join(t.TempDir(), "record.txt")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readRecord(file); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestForkjoinRounds(t *testing.T) {
	r := rounds{}
	n, err := r.read("booting\nFORKJOIN 1 30\nFORKJOIN 2 10\n[x] FORKJOIN 1 20\nFORKJOIN 1 40\n")
	if err != nil || n != 4 || median(r[1]) != 30 || median(r[2]) != 10 {
		t.Errorf("%d rounds: %v, %v", n, r, err)
	}
	if _, err := r.read("FORKJOIN x 1\n"); err == nil {
		t.Error("a line without a figure is accepted")
	}
}
