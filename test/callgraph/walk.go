package callgraph

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// policy is what the walk starts from, where it stops, and what it must not meet.
type policy struct {
	roots     []string
	cut       []string // not entered: patterns
	forbidden []string // must not be reached: patterns
	indirect  []hooks
}

// hooks are function values that a package calls: where its indirect calls and
// jumps may lead, whichever of them a site takes.
type hooks struct {
	pkg     string         // with the dot
	sites   map[string]int // functions that call them -> how many such instructions each has
	targets []string
}

// walk returns what is wrong, a line each, with the way there; and the number
// of functions it went through.
func walk(img *image, p policy) (wrong []string, reached int) {
	w := walker{img: img, policy: p, from: make(map[uint64]function), used: make(map[string]bool)}
	for _, name := range p.roots {
		if w.enterNamed(name, function{}) == 0 {
			w.fail("root %s is not in the image", name)
		}
	}
	for len(w.queue) > 0 {
		f := w.queue[0]
		w.queue = w.queue[1:]
		w.visit(f)
	}
	for _, h := range p.indirect {
		for _, name := range slices.Sorted(maps.Keys(h.sites)) {
			if !w.used[h.pkg+name] {
				w.fail("stale: no indirect call is reached in %s", h.pkg+name)
			}
		}
	}
	return w.wrong, len(w.from)
}

type walker struct {
	policy
	img   *image
	queue []function
	from  map[uint64]function // address of a function reached -> the one that led there
	used  map[string]bool     // entries of the indirect table
	wrong []string
}

func (w *walker) fail(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// visit follows all ways out of f.
func (w *walker) visit(f function) {
	e, err := w.img.decode(f)
	if err != nil {
		w.fail("cannot decode %v (way: %s)", err, w.way(f))
		return
	}
	if e.syscall {
		w.fail("SYSCALL below the runtime: %s", w.way(f))
	}
	for _, to := range e.direct {
		if target, ok := w.img.at(to); ok {
			w.enter(target, f)
		} else {
			w.fail("%s leads to %#x, which is no function (way: %s)", f.name, to, w.way(f))
		}
	}
	if e.indirect == 0 {
		return
	}
	for _, h := range w.indirect {
		name, ok := strings.CutPrefix(f.name, h.pkg)
		sites := h.sites[name]
		if !ok || sites == 0 {
			continue
		}
		w.used[f.name] = true
		if e.indirect != sites {
			w.fail("%s has %d indirect calls, the table says %d", f.name, e.indirect, sites)
		}
		for _, target := range h.targets {
			if w.enterNamed(target, f) == 0 {
				w.fail("stale: %s, a target in %s, is not in the image", target, f.name)
			}
		}
		return
	}
	w.fail("unlisted: %d indirect calls in %s (way: %s)", e.indirect, f.name, w.way(f))
}

// enter queues f, reached from another, if it is new and may be entered.
func (w *walker) enter(f, from function) {
	if matches(w.cut, f.name) {
		return
	}
	if matches(w.forbidden, f.name) {
		w.fail("reaches %s: %s", f.name, w.way(from))
		return
	}
	if _, known := w.from[f.addr]; !known {
		w.from[f.addr] = from
		w.queue = append(w.queue, f)
	}
}

func (w *walker) enterNamed(name string, from function) int {
	found := w.img.named(name)
	for _, f := range found {
		w.enter(f, from)
	}
	return len(found)
}

// way names the functions from a root to f; it is a shortest one.
func (w *walker) way(f function) string {
	names := []string{f.name}
	for f = w.from[f.addr]; f.name != ""; f = w.from[f.addr] {
		names = append(names, f.name)
	}
	slices.Reverse(names)
	return strings.Join(names, " > ")
}

// matches tells whether name is one of the patterns, which may end in "*".
func matches(patterns []string, name string) bool {
	name = strings.TrimSuffix(name, ".abi0")
	for _, p := range patterns {
		if prefix, ok := strings.CutSuffix(p, "*"); ok && strings.HasPrefix(name, prefix) || name == p {
			return true
		}
	}
	return false
}
