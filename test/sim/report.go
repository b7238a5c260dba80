package sim

import (
	"fmt"
	"strings"
)

// Header is the line above Rows.
var Header = fmt.Sprintf("%-15s %5s %9s %9s %8s %6s %8s %8s %8s %10s %11s %9s  %s", "scenario", "costs", "makespan", "least",
	"speed-up", "Jain", "wait p50", "wait p99", "max (us)", "steals/task", "migrations", "events", "hash")

// Row is the result in one line; times are in us.
func (r *Result) Row(scenario string, scale float64) string {
	return fmt.Sprintf("%-15s %5g %9.1f %9.1f %8.2f %6.4f %8.1f %8.1f %8.1f %11.3f %11d %9d  %016x", scenario, scale,
		us(r.Makespan), us(r.Least), r.Speedup(), r.Jain, us(r.Waits.Quantile(0.5)), us(r.Waits.Quantile(0.99)), us(r.Waits.Max()),
		float64(r.Steals)/float64(r.Tasks), r.Migrations, r.Events, r.Hash)
}

// Profile is what the CPUs' time went to, in percent, largest first.
func (r *Result) Profile() string {
	var sum uint64
	for _, ns := range r.Spent {
		sum += ns
	}
	var b strings.Builder
	for range r.Spent {
		best := -1
		for i, ns := range r.Spent {
			if ns != 0 && !strings.Contains(b.String(), " "+Causes[i]+" ") && (best < 0 || ns > r.Spent[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		fmt.Fprintf(&b, " %s %.1f%%", Causes[best], 100*float64(r.Spent[best])/float64(sum))
	}
	fmt.Fprintf(&b, "; %d switches, %d preemptions, %d IPIs, %d searches, %d stalls", r.Switches, r.Preemptions, r.Kicks, r.Searches, r.Stalled)
	return b.String()
}

func us(ns uint64) float64 { return float64(ns) / 1000 }
