package dag

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

var errBoom = errors.New("boom")

// failing is a graph of four functions in a row, and one beside them, of which the third does what f does.
func failing(f func(context.Context) error) (g *Graph, after *atomic.Int32) {
	after = new(atomic.Int32)
	g = New("failing")
	fetch := g.Func("fetch", nothing)
	g.Func("beside", nothing, fetch)
	parse := g.Func("parse", nothing, fetch)
	check := g.Func("check", f, parse)
	g.Func("print", func(context.Context) error { after.Add(1); return nil }, check)
	return g, after
}

// However a function fails, its run says where, nothing after it is called, and the workers go on.
func TestFailures(t *testing.T) {
	var null *int
	for name, c := range map[string]struct {
		f    func(context.Context) error
		says string
		is   error
	}{
		"error":         {func(context.Context) error { return errBoom }, "boom", errBoom},
		"panic":         {func(context.Context) error { panic("oh no") }, "panic: oh no", nil},
		"panic error":   {func(context.Context) error { panic(errBoom) }, "panic: boom", errBoom},
		"nil panic":     {func(context.Context) error { panic(nil) }, "panic called with nil argument", nil},
		"nil pointer":   {func(context.Context) error { *null = 1; return nil }, "nil pointer dereference", nil},
		"goexit":        {func(context.Context) error { runtime.Goexit(); return nil }, "ended its goroutine", ErrGoexit},
		"deep panic":    {func(context.Context) error { func() { defer func() { panic(errBoom) }(); panic(1) }(); return nil }, "boom", errBoom},
		"own recovery":  {func(context.Context) error { defer func() { recover() }(); panic(1) }, "", nil},
		"panic in exit": {func(context.Context) error { defer panic(errBoom); runtime.Goexit(); return nil }, "boom", errBoom},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, Config{Workers: 2})
			g, after := failing(c.f)
			for range 50 {
				err := e.Run(t.Context(), g)
				if c.says == "" {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				text := ""
				var at *Error
				if !errors.As(err, &at) || at.Graph != "failing" || !slices.Equal(at.Path, []string{"fetch", "parse", "check"}) {
					t.Fatalf("error %v (%+v), want one of fetch > parse > check", err, at)
				}
				if text = err.Error(); !strings.HasPrefix(text, "dag: graph failing: fetch > parse > check: ") || !strings.Contains(text, c.says) {
					t.Fatalf("error %q, want the path and %q", text, c.says)
				}
				if c.is != nil && !errors.Is(err, c.is) {
					t.Fatalf("error %v is not %v", err, c.is)
				}
				var p *PanicError
				if panicked := strings.Contains(text, "panic"); errors.As(err, &p) != panicked {
					t.Fatalf("PanicError is %v in %v", p, err)
				} else if panicked && !strings.Contains(string(p.Stack), "failure_test.go") {
					t.Fatalf("the stack doesn't show the function:\n%s", p.Stack)
				}
				if after.Load() != 0 {
					t.Fatal("a function was called after the one that failed")
				}
			}
			if err := e.Run(t.Context(), New("next")); err != nil {
				t.Fatalf("the next run: %v", err)
			}
			s := e.Stats()
			if failed := c.says != ""; s.Active != 0 || (s.Failed == 50) != failed || (s.Passed > 0) != failed {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// Of functions that fail at a time one is reported, and the others of other runs are not disturbed.
func TestFailureIsItsRunsOwn(t *testing.T) {
	e := open(t, Config{Workers: 4})
	bad, good := New("bad"), New("good")
	var calls atomic.Int32
	for range 20 {
		bad.Func("f", func(context.Context) error { return errBoom })
		good.Func("f", func(context.Context) error { calls.Add(1); return nil })
	}
	const rounds = 200
	for range rounds {
		a, err := e.Submit(t.Context(), bad)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Run(t.Context(), good); err != nil {
			t.Fatal(err)
		}
		if err := a.Wait(); !errors.Is(err, errBoom) {
			t.Fatalf("error %v, want %v", err, errBoom)
		}
	}
	if got := calls.Load(); got != 20*rounds {
		t.Errorf("%d calls, want %d", got, 20*rounds)
	}
}

func TestGraphsAreChecked(t *testing.T) {
	e := open(t, Config{Workers: 2})
	other := New("other").Func("o", nothing)
	for name, build := range map[string]func(g *Graph){
		"nil function":        func(g *Graph) { g.Func("f", nil) },
		"another graph's":     func(g *Graph) { g.Func("f", nothing, other) },
		"nil dependency":      func(g *Graph) { g.Func("f", nothing, nil) },
		"a negative node":     func(g *Graph) { g.Func("f", nothing).OnNode(-1) },
		"a node without CPUs": func(g *Graph) { g.Func("f", nothing).OnNode(1) },
	} {
		g := New("wrong")
		g.Func("right", nothing)
		build(g)
		if err := e.Run(t.Context(), g); err == nil || !strings.Contains(err.Error(), "graph wrong: ") {
			t.Errorf("%s: error %v", name, err)
		} else if strings.Contains(name, "node") != errors.Is(err, ErrNode) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
