package lockfree

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// stackOp is one call: push of a list, top first, or pop, or pop of all.
type stackOp struct {
	kind byte // 'u' push, 'o' pop, 'a' pop all
	list string
}

// stackModel is the sequential stack: a string of elements, the top first.
var stackModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		st, in, out := state.(string), input.(stackOp), output.(string)
		switch in.kind {
		case 'u':
			return true, in.list + st
		case 'o':
			if st == "" {
				return out == "", st
			}
			return out == st[:1], st[1:]
		default:
			return out == st, ""
		}
	},
}

// Short histories of racing calls must each have a sequential order. Call and return times are
// numbers from one counter, so they don't depend on a clock.
func TestStackLinearizable(t *testing.T) {
	const workers, elements, calls = 4, 8, 8
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	for round := range rounds {
		next := make([]uint32, elements)
		var s Stack
		var clock atomic.Int64
		histories := make([][]porcupine.Operation, workers)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				mine := []byte{byte(2 * w), byte(2*w + 1)} // elements in this worker's hand
				<-start
				for range calls {
					op := stackOp{kind: 'o'}
					switch k := r.IntN(8); {
					case k == 0:
						op.kind = 'a'
					case k == 1 && len(mine) > 1:
						op = stackOp{'u', string(mine[:2])}
						Link(next, uint32(mine[0]), uint32(mine[1]))
						mine = mine[2:]
					case k < 5 && len(mine) > 0:
						op = stackOp{'u', string(mine[:1])}
						mine = mine[1:]
					}
					var out string
					call := clock.Add(1)
					switch op.kind {
					case 'u':
						s.PushList(next, uint32(op.list[0]), uint32(op.list[len(op.list)-1]))
					case 'o':
						if i, ok := s.Pop(next); ok {
							out = string([]byte{byte(i)})
						}
					case 'a':
						var all []byte
						for i, ok := s.PopAll(); ok; i, ok = Next(next, i) {
							all = append(all, byte(i))
						}
						out = string(all)
					}
					histories[w] = append(histories[w], porcupine.Operation{
						ClientId: w, Input: op, Call: call, Output: out, Return: clock.Add(1),
					})
					mine = append(mine, out...)
				}
			})
		}
		close(start)
		wg.Wait()
		if history := slices.Concat(histories...); !porcupine.CheckOperations(stackModel, history) {
			t.Fatalf("round %d: not linearizable: %+v", round, history)
		}
	}
}

// The check itself must be able to say no: a queue's order, and a pop that found the stack empty
// after a push had returned.
func TestStackModelRejects(t *testing.T) {
	a, b := "\x01", "\x02"
	for name, outputs := range map[string][2]string{"fifo": {a, b}, "lost": {b, ""}} {
		var h []porcupine.Operation
		for i, op := range []stackOp{{'u', a}, {'u', b}, {'o', ""}, {'o', ""}} {
			out := ""
			if i >= 2 {
				out = outputs[i-2]
			}
			h = append(h, porcupine.Operation{Input: op, Output: out, Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		if porcupine.CheckOperations(stackModel, h) {
			t.Errorf("%s: accepted", name)
		}
	}
}
