package lockfree

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// dequeOp is one call: 'u' push of a value, 'o' pop, 'a' offer of all, 's' steal, 'h' steal of half, at most
// halves values.
// 'f' is no call but the second step of a Pop that returned a value: it offers if nothing is on offer.
type dequeOp struct {
	kind  byte
	value string
}

const halves = 3

// dequeState is the sequential deque: its values, the oldest first, and how many are on offer.
type dequeState struct {
	values  string
	offered int
	popped  bool // the second step is to come
}

// offer is what the owner does when it offers.
func (s dequeState) offer(keep int) dequeState {
	n := len(s.values) - s.offered
	if n > keep {
		n -= keep
	} else {
		n = (n + 1) / 2
	}
	s.offered += n
	return s
}

// dequeModel is the sequential deque that keeps so many values private.
func dequeModel(keep int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return dequeState{} },
		Step: func(state, input, output any) (bool, any) {
			s, in, out := state.(dequeState), input.(dequeOp), output.(string)
			switch in.kind {
			case 'u':
				offers := s.offered == 0 || len(s.values)-s.offered >= 2*keep
				if s.values += in.value; offers {
					s = s.offer(keep)
				}
				return !s.popped, s
			case 'o':
				if s.values == "" {
					return out == "" && !s.popped, s
				}
				rest := len(s.values) - 1
				right := out == s.values[rest:] && !s.popped
				if s.offered > rest {
					s.offered = 0 // all was taken back
				}
				s.values, s.popped = s.values[:rest], true
				return right, s
			case 'a':
				s.offered = len(s.values)
				return !s.popped, s
			case 'f':
				right := s.popped
				if s.popped = false; s.offered == 0 && s.values != "" {
					s = s.offer(keep)
				}
				return right, s
			}
			most := 1
			if in.kind == 'h' {
				most = min((s.offered+1)/2, halves)
			}
			if out == "" {
				return s.offered == 0, s
			}
			right := s.offered > 0 && len(out) <= most && strings.HasPrefix(s.values, out)
			s.values = strings.TrimPrefix(s.values, out)
			s.offered -= len(out)
			return right, s
		},
	}
}

// stealer is a deque under test.
type stealer interface {
	Push(v uint64) bool
	Pop() (uint64, bool)
	Offer() bool
	Steal() (uint64, bool)
	StealHalf(into []uint64) int
}

// callDeque makes one call and appends it to the history.
func callDeque(d stealer, op dequeOp, clock *atomic.Int64, history []porcupine.Operation) []porcupine.Operation {
	var out string
	single := func(v uint64, ok bool) {
		if ok {
			out = string([]byte{byte(v)})
		}
	}
	call := clock.Add(1)
	switch op.kind {
	case 'u':
		d.Push(uint64(op.value[0]))
	case 'o':
		single(d.Pop())
	case 'a':
		d.Offer()
	case 's':
		single(d.Steal())
	case 'h':
		var into [halves]uint64
		for _, v := range into[:d.StealHalf(into[:])] {
			out += string([]byte{byte(v)})
		}
	}
	end := clock.Add(1)
	if history = append(history, porcupine.Operation{Input: op, Call: call, Output: out, Return: end}); op.kind == 'o' && out != "" {
		history = append(history, porcupine.Operation{Input: dequeOp{kind: 'f'}, Call: call, Output: "", Return: end})
	}
	return history
}

// ownDeque makes random calls of the owner, with runs of the same kind.
func ownDeque(d stealer, calls int, r *rand.Rand, clock *atomic.Int64) (history []porcupine.Operation) {
	value, push := byte(0), true
	for range calls {
		if r.IntN(3) == 0 {
			push = !push
		}
		op := dequeOp{kind: 'o'}
		switch {
		case r.IntN(8) == 0:
			op.kind = 'a'
		case push:
			value++
			op = dequeOp{'u', string([]byte{value})}
		}
		history = callDeque(d, op, clock, history)
	}
	return history
}

// robDeque makes random calls of a thief.
func robDeque(d stealer, calls int, r *rand.Rand, clock *atomic.Int64) (history []porcupine.Operation) {
	for range calls {
		history = callDeque(d, dequeOp{kind: "sh"[r.IntN(2)]}, clock, history)
	}
	return history
}

// Short histories of an owner and racing thieves must each have a sequential order.
func TestDequeLinearizable(t *testing.T) {
	const thieves, calls = 3, 8
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for round := range rounds {
		d := new(Deque)
		var clock atomic.Int64
		histories := make([][]porcupine.Operation, thieves+1)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for w := range thieves + 1 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				<-start
				if w == 0 {
					histories[w] = ownDeque(d, 3*calls, r, &clock)
				} else {
					histories[w] = robDeque(d, calls, r, &clock)
				}
			})
		}
		close(start)
		wg.Wait()
		if history := slices.Concat(histories...); !porcupine.CheckOperations(dequeModel(keep), history) {
			t.Fatalf("round %d: not linearizable: %+v", round, history)
		}
	}
}

// The check itself must be able to say no.
func TestDequeModelRejects(t *testing.T) {
	push := func(v string) porcupine.Operation {
		return porcupine.Operation{Input: dequeOp{'u', v}, Output: ""}
	}
	get := func(kind byte, out string) porcupine.Operation {
		return porcupine.Operation{Input: dequeOp{kind: kind}, Output: out}
	}
	for name, h := range map[string][]porcupine.Operation{
		"first in, first popped": {push("a"), push("b"), get('o', "a")},
		"newest stolen":          {push("a"), push("b"), get('s', "b")},
		"lost":                   {push("a"), get('s', "a"), get('o', "a")},
		"twice":                  {push("a"), get('o', "a"), get('f', ""), get('s', "a")},
		"hidden":                 {push("a"), get('s', "")},
		"hidden after a pop":     {push("a"), push("b"), push("c"), get('o', "c"), get('f', ""), get('s', "")},
		"not offered again":      {push("a"), push("b"), push("c"), get('s', "a"), get('o', "c"), get('f', ""), get('h', "")},
		"hidden after an offer":  {push("a"), push("b"), push("c"), get('a', ""), get('s', "a"), get('s', "b"), get('s', "")},
		"more than half":         {push("a"), push("b"), push("c"), get('h', "ab")},
		"pop of a full one":      {push("a"), get('o', "")},
	} {
		for i := range h {
			h[i].Call, h[i].Return = int64(2*i), int64(2*i+1)
		}
		if porcupine.CheckOperations(dequeModel(keep), h) {
			t.Errorf("%s: accepted", name)
		}
	}
}
