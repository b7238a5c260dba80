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

// queueOp is one call on one of several queues: push of a list, in one step, or pop.
type queueOp struct {
	queue int
	push  string
}

// queueModel is the sequential queue: a string of elements, the first one first. Each queue is
// checked by itself.
var queueModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		for k := range queues {
			var part []porcupine.Operation
			for _, op := range history {
				if op.Input.(queueOp).queue == k {
					part = append(part, op)
				}
			}
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		st, in, out := state.(string), input.(queueOp), output.(string)
		switch {
		case in.push != "":
			return true, st + in.push
		case out == "":
			return st == "", st
		default:
			return strings.HasPrefix(st, out), strings.TrimPrefix(st, out)
		}
	},
}

// queues is how many queues the nodes of a history wander between.
const queues = 2

// fifo is a queue under test.
type fifo interface {
	PushAll(nodes []Node, own []uint32, values []uint64)
	Pop(nodes []Node) (v uint64, n uint32, ok bool)
}

// callQueues makes random calls on the queues with the nodes in own, and records them. No two calls
// push the same value.
func callQueues[Q fifo](q [queues]Q, nodes []Node, own []uint32, worker, calls int, r *rand.Rand, clock *atomic.Int64) (history []porcupine.Operation) {
	value := byte(worker * 2 * calls)
	for range calls {
		op := queueOp{queue: r.IntN(queues)}
		var values []uint64
		if k := min(r.IntN(4), 2, len(own)); k > 0 {
			for range k {
				value++
				values = append(values, uint64(value))
				op.push += string([]byte{value})
			}
		}
		var out string
		call := clock.Add(1)
		if k := len(values); k > 0 {
			q[op.queue].PushAll(nodes, own[:k], values)
			own = own[k:]
		} else if v, n, ok := q[op.queue].Pop(nodes); ok {
			out = string([]byte{byte(v)})
			own = append(own, n)
		}
		history = append(history, porcupine.Operation{
			ClientId: worker, Input: op, Call: call, Output: out, Return: clock.Add(1),
		})
	}
	return history
}

// either pushes single values by Push, so that histories have both kinds of call.
type either struct{ Queue }

func (e *either) PushAll(nodes []Node, own []uint32, values []uint64) {
	if len(own) == 1 {
		e.Push(nodes, own[0], values[0])
		return
	}
	e.Queue.PushAll(nodes, own, values)
}

func TestQueueLinearizable(t *testing.T) {
	const workers, calls, hand = 4, 8, 2
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	for round := range rounds {
		nodes := make([]Node, workers*hand+queues)
		var q [queues]*either
		for k := range q {
			q[k] = new(either)
			q[k].Init(nodes, uint32(workers*hand+k))
		}
		var clock atomic.Int64
		histories := make([][]porcupine.Operation, workers)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				<-start
				histories[w] = callQueues(q, nodes, []uint32{uint32(w * hand), uint32(w*hand + 1)}, w, calls, r, &clock)
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
func TestQueueModelRejects(t *testing.T) {
	push := func(list string) porcupine.Operation {
		return porcupine.Operation{Input: queueOp{push: list}, Output: ""}
	}
	pop := func(out string) porcupine.Operation {
		return porcupine.Operation{Input: queueOp{}, Output: out}
	}
	for name, h := range map[string][]porcupine.Operation{
		"lifo":            {push("a"), push("b"), pop("b"), pop("a")},
		"lost":            {push("a"), push("b"), pop("a"), pop("")},
		"twice":           {push("a"), pop("a"), pop("a")},
		"batch reordered": {push("ab"), pop("b"), pop("a")},
		"early":           {pop("a"), push("a")},
		"wrong queue":     {{Input: queueOp{queue: 1, push: "a"}, Output: ""}, pop("a")},
	} {
		for i := range h {
			h[i].Call, h[i].Return = int64(2*i), int64(2*i+1)
		}
		if porcupine.CheckOperations(queueModel, h) {
			t.Errorf("%s: accepted", name)
		}
	}
}
