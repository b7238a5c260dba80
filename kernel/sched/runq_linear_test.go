package sched

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// queueCall is one call on the queue of a CPU: 'u' push of a task, 'o' its own pop, 't' a thief's take, 'r' retract of a task.
type queueCall struct {
	kind byte
	task string
}

// queueModel is the sequential queue: a string of tasks, the first one first. The result is a task, or "".
var queueModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		st, in, out := state.(string), input.(queueCall), output.(string)
		switch in.kind {
		case 'u':
			return true, st + in.task
		case 'o':
			if out == "" {
				return st == "", st
			}
			return strings.HasPrefix(st, out), strings.TrimPrefix(st, out)
		case 't': // any, and it need not see any
			return out == "" || strings.Contains(st, out), strings.Replace(st, out, "", 1)
		default:
			if out == "" {
				return !strings.Contains(st, in.task), st
			}
			return strings.Contains(st, out), strings.Replace(st, out, "", 1)
		}
	},
}

func TestRunQueueLinearizable(t *testing.T) {
	const workers, calls, hand = 4, 8, 2
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for round := range rounds {
		boot(t, workers, 1, workers*hand, 0)
		var clock atomic.Int64
		histories := make([][]porcupine.Operation, workers)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for w := range workers {
			var mine []ID
			for range hand {
				id, _ := New(0)
				Get(id).move(StateNew, StateWaking)
				mine = append(mine, id)
			}
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				<-start
				for range calls {
					op, out := queueCall{kind: "uuuottr"[r.IntN(7)]}, ID(0)
					if op.kind == 'u' && len(mine) == 0 || op.kind == 'o' {
						op.kind = 't'
					}
					if op.kind == 't' && w == 0 {
						op.kind = 'o' // the owner
					}
					id := ID(1 + r.IntN(workers*hand))
					if op.kind == 'u' {
						id, mine = mine[0], mine[1:]
					}
					op.task = string(rune('A' + id))
					call := clock.Add(1)
					switch op.kind {
					case 'u':
						on(0).push(0, id, Get(id), false)
					case 'o':
						out = on(0).pop()
					case 't':
						out = on(0).take(w)
					case 'r':
						if _, ok := Get(id).retract(); ok {
							out = id
						}
					}
					end := clock.Add(1)
					result := ""
					if out != 0 {
						result = string(rune('A' + out))
						mine = append(mine, out)
						if op.kind != 'r' {
							Get(out).move(StateRunning, StateWaking)
						}
					}
					histories[w] = append(histories[w], porcupine.Operation{ClientId: w, Input: op, Call: call, Output: result, Return: end})
				}
			})
		}
		close(start)
		wg.Wait()
		if history := slices.Concat(histories...); !porcupine.CheckOperations(queueModel, history) {
			t.Fatalf("round %d: not linearizable: %+v", round, history)
		}
	}
}

// The check itself must be able to say no.
func TestRunQueueModelRejects(t *testing.T) {
	type call struct {
		queueCall
		out string
	}
	push := func(t string) call { return call{queueCall{'u', t}, ""} }
	for name, calls := range map[string][]call{
		"lost":             {push("A"), {queueCall{'o', ""}, ""}},
		"twice":            {push("A"), {queueCall{'o', ""}, "A"}, {queueCall{'t', ""}, "A"}},
		"out of order":     {push("A"), push("B"), {queueCall{'o', ""}, "B"}},
		"retracted, run":   {push("A"), {queueCall{'r', "A"}, "A"}, {queueCall{'o', ""}, "A"}},
		"refused, waiting": {push("A"), {queueCall{'r', "A"}, ""}},
	} {
		var h []porcupine.Operation
		for i, c := range calls {
			h = append(h, porcupine.Operation{Input: c.queueCall, Output: c.out, Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		if porcupine.CheckOperations(queueModel, h) {
			t.Errorf("%s: accepted", name)
		}
	}
}
