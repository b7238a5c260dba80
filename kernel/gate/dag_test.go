package gate

import (
	"context"
	"testing"

	"pdac/kernel/sched/dag"
	"pdac/kernel/space"
)

// TestExecutor: functions of graphs run in the space of who made the executor, and the console sees it.
func TestExecutor(t *testing.T) {
	b := openGate(t)
	home := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, home, func() {
		e := must(Executor(b.root.Task, 2))
		g := dag.New("g")
		var ran [2]uint32
		first := g.Func("first", func(context.Context) error { ran[0] = space.Get(); return nil })
		g.Func("second", func(context.Context) error { ran[1] = space.Get(); return nil }, first)
		ok(t, e.Run(context.Background(), g))
		if want := uint32(must(SpaceNumber(home))); ran != [2]uint32{want, want} {
			t.Errorf("ran in spaces %v, want %d", ran, want)
		}
		if s := b.op.Executors(); len(s) != 1 || s[0].Functions != 2 || s[0].InFlight != 2 || len(s[0].Workers) != testCPUs {
			t.Errorf("%+v", s)
		}
		ok(t, e.Close())
	})
	if s := b.op.Executors(); len(s) != 0 {
		t.Errorf("closed, and there is %+v", s)
	}
	if _, err := Executor(b.root.Task, -1); err == nil {
		t.Error("-1 runs, and no error")
	}
}
