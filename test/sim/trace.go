package sim

import (
	"fmt"
	"io"

	"pdac/kernel/sched"
)

// tracer keeps a hash of all that happens, FNV-1a by 64-bit words (Fowler, Noll, Vo), and writes it where that is asked for.
type tracer struct {
	hash uint64
	out  io.Writer
}

func newTracer(out io.Writer) tracer { return tracer{14695981039346656037, out} }

func (tr *tracer) add(now uint64, what string, cpu int, t sched.ID) {
	h := tr.hash
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * 1099511628211
	}
	h = (h ^ now) * 1099511628211
	tr.hash = (h ^ (uint64(cpu)<<32 | uint64(t))) * 1099511628211
	if tr.out != nil {
		fmt.Fprintf(tr.out, "%12d %-8s CPU %-4d task %d\n", now, what, cpu, t)
	}
}
