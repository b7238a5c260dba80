//go:build !race

package sim

import (
	"testing"

	"pdac/kernel/sched"
)

// TestLotterySharesFollowTickets takes 100 seeds: each draws the tickets of eight tasks, then the scheduler draws 10,000 times.
func TestLotterySharesFollowTickets(t *testing.T) {
	worst := 0.0
	for seed := range uint64(100) {
		w := newContest(true, 1, 10_000)
		if _, err := Run(Config{Topology: uniform(t, 1, 1), Costs: Committed(1), Seed: seed}, w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if off := w.off(); off > 2 {
			t.Errorf("seed %d: a share is %.2f percentage points from its tickets", seed, off)
		} else {
			worst = max(worst, off)
		}
	}
	t.Logf("%.2f percentage points at most", worst)
	if worst == 0 {
		t.Error("no share is off at all: there was no lottery")
	}
}

// TestBriefTasksAreCompensated: who sleeps after a fifth of its quantum gets nearly what its tickets say nevertheless: an eighth,
// and not a fifth of what the others get.
func TestBriefTasksAreCompensated(t *testing.T) {
	w := newContest(true, 1, 10_000)
	w.brief = true
	if _, err := Run(Config{Topology: uniform(t, 1, 1), Costs: Committed(1), Check: true}, w); err != nil {
		t.Fatal(err)
	}
	t.Logf("shares %.3f", w.share)
	if off := w.off(); off > 3 {
		t.Errorf("a share is %.2f percentage points from an eighth: %.3f", off, w.share)
	}
}

// TestRoundRobinByPriority: the most urgent has most of the CPU, and ageing sees to it that the others have some.
func TestRoundRobinByPriority(t *testing.T) {
	w := newContest(false, 1, 2000)
	if _, err := Run(Config{Topology: uniform(t, 1, 1), Costs: Committed(1)}, w); err != nil {
		t.Fatal(err)
	}
	for i, share := range w.share {
		if i > 0 && share >= w.share[i-1]+0.001 {
			t.Errorf("priority %d has a share of %.4f, priority %d of %.4f", i, share, i-1, w.share[i-1])
		}
		if share < 0.01 {
			t.Errorf("priority %d starves: %.4f", i, share)
		}
	}
	if w.share[0] < 0.5 {
		t.Errorf("the most urgent has a share of %.4f", w.share[0])
	}
}

// TestLatencyClassGoesFirst compares a server in the latency class with the same one among equals.
func TestLatencyClassGoesFirst(t *testing.T) {
	p99 := map[sched.Class]uint64{}
	for _, class := range []sched.Class{sched.ClassNormal, sched.ClassLatency} {
		w := newMixed(16, 1600)
		w.class = class
		if _, err := Run(Config{Topology: uniform(t, 16, 2), Costs: Committed(1), Check: true}, w); err != nil {
			t.Fatal(err)
		}
		p99[class] = w.response.Quantile(0.99)
	}
	t.Logf("p99 of the response: %d ns among equals, %d ns in the latency class", p99[sched.ClassNormal], p99[sched.ClassLatency])
	if p99[sched.ClassLatency] > p99[sched.ClassNormal]/5 {
		t.Errorf("p99 of the response: %d ns in the latency class, %d ns without", p99[sched.ClassLatency], p99[sched.ClassNormal])
	}
}
