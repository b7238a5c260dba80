package ipc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// queueOp is a call: 's' Send, 'r' Recv, 'k' Kill. Its output is "" for success of s and k, the value of
// r, or the error.
type queueOp struct {
	kind   byte
	value  string
	others int // of an ErrWouldBlock: calls that overlap it
}

const (
	deadOut  = "!dead"
	blockOut = "!block"
	gaveUp   = "!canceled"
)

// queueModel is the sequential endpoint: a string of one-byte values, or "!" when it is dead.
func queueModel(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			st, in, out := state.(string), input.(queueOp), output.(string)
			if st == "!" {
				return out == deadOut || out == gaveUp || in.kind == 'k', st
			}
			switch {
			case in.kind == 'k':
				return true, "!"
			case out == gaveUp:
				return true, st
			case out == deadOut:
				return false, st
			case out == blockOut && in.kind == 's':
				return len(st)+in.others >= capacity, st
			case out == blockOut:
				return len(st) <= in.others, st
			case in.kind == 's':
				return len(st) < capacity, st + in.value
			}
			return strings.HasPrefix(st, out) && out != "", st[min(1, len(st)):]
		},
	}
}

// outcome is what an error is in a history.
func outcome(err error) string {
	switch err {
	case nil:
		return ""
	case ErrWouldBlock:
		return blockOut
	case ErrDead:
		return deadOut
	case context.Canceled:
		return gaveUp
	}
	return err.Error()
}

// history runs short calls of workers and returns them. Times are numbers from one counter.
func history(workers int, work func(w int, call func(op queueOp, f func() string))) []porcupine.Operation {
	var clock atomic.Int64
	histories := make([][]porcupine.Operation, workers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			<-start
			work(w, func(op queueOp, f func() string) {
				began := clock.Add(1)
				out := f()
				histories[w] = append(histories[w], porcupine.Operation{
					ClientId: w, Input: op, Call: began, Output: out, Return: clock.Add(1),
				})
			})
		})
	}
	close(start)
	wg.Wait()
	h := slices.Concat(histories...)
	for i := range h {
		if h[i].Output == blockOut {
			op := h[i].Input.(queueOp)
			for j := range h {
				if j != i && h[j].Call < h[i].Return && h[i].Call < h[j].Return {
					op.others++
				}
			}
			h[i].Input = op
		}
	}
	return h
}

func TestEndpointLinearizable(t *testing.T) {
	const workers, calls = 4, 7
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	blocked := 0
	for round := range rounds {
		capacity := 1 + round%3
		e := endpoint(t, Options{Capacity: capacity})
		ctx, cancel := context.WithCancel(context.Background())
		var working atomic.Int32
		working.Store(workers)
		go func() { // when all who still work wait, nobody else would end it
			until(func() bool { i := e.Info(); return i.Senders+i.Receivers >= int(working.Load()) })
			cancel()
		}()
		h := history(workers, func(w int, call func(queueOp, func() string)) {
			r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			for i := range calls {
				m := text(string(rune('A' + w*calls + i)))
				var in Message
				recv := func(err error) string {
					if err != nil {
						return outcome(err)
					}
					return string(in.Payload())
				}
				switch k := r.IntN(40); {
				case k == 0 && round%4 == 0:
					call(queueOp{kind: 'k'}, func() string { e.Kill(nil); return "" })
				case k < 8:
					call(queueOp{kind: 's', value: string(m.Payload())}, func() string { return outcome(e.TrySend(m)) })
				case k < 20:
					call(queueOp{kind: 's', value: string(m.Payload())}, func() string { return outcome(e.Send(ctx, nil, m)) })
				case k < 28:
					call(queueOp{kind: 'r'}, func() string { return recv(e.TryRecv(&in)) })
				default:
					call(queueOp{kind: 'r'}, func() string { return recv(e.Recv(ctx, nil, &in)) })
				}
			}
			working.Add(-1)
		})
		for _, op := range h {
			if op.Output == gaveUp {
				blocked++
			}
		}
		if !porcupine.CheckOperations(queueModel(capacity), h) {
			t.Fatalf("round %d, capacity %d: not linearizable: %+v", round, capacity, h)
		}
	}
	if blocked == 0 {
		t.Error("no call ever waited in vain")
	}
}

// replyOp is a call: Reply with a value, or the end of a Call, each of one CallID.
type replyOp struct {
	id    CallID
	reply bool
	value string
}

// replyModel is the sequential call: open "", answered with a value, or "!" when it was given up.
var replyModel = porcupine.Model{
	Partition: func(h []porcupine.Operation) [][]porcupine.Operation {
		parts := map[CallID][]porcupine.Operation{}
		for _, op := range h {
			id := op.Input.(replyOp).id
			parts[id] = append(parts[id], op)
		}
		var all [][]porcupine.Operation
		for _, p := range parts {
			all = append(all, p)
		}
		return all
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		st, in, out := state.(string), input.(replyOp), output.(string)
		switch {
		case in.reply && st == "":
			return out == "", in.value
		case in.reply:
			return out == ErrNoCall.Error(), st
		case out == gaveUp: // even if the reply was under way
			return true, "!"
		}
		return st == out && out != "", "!"
	},
}

func TestRepliesLinearizable(t *testing.T) {
	const callers, repliers = 3, 3
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	answered, late := 0, 0
	for round := range rounds {
		e := endpoint(t, Options{})
		ctx, cancel := context.WithCancel(context.Background())
		var clock atomic.Int64
		var mu sync.Mutex
		var h []porcupine.Operation
		record := func(op replyOp, began int64, out string) {
			ended := clock.Add(1)
			mu.Lock()
			defer mu.Unlock()
			h = append(h, porcupine.Operation{Input: op, Call: began, Output: out, Return: ended})
		}
		var wg, served sync.WaitGroup
		ids := make(chan CallID, callers*repliers)
		names := make([]CallID, callers)
		for c := range callers {
			wg.Go(func() {
				var r Message
				began := clock.Add(1)
				out := outcome(e.Call(ctx, nil, 0, text(fmt.Sprint(c)), &r))
				if out == "" {
					out = string(r.Payload())
				}
				served.Wait()
				record(replyOp{id: names[c]}, began, out)
			})
		}
		served.Add(1)
		for range callers {
			var m Message
			if err := e.Recv(nil, nil, &m); err != nil {
				t.Fatal(err)
			}
			names[m.Payload()[0]-'0'] = m.Call
			for range repliers {
				ids <- m.Call
			}
		}
		served.Done()
		close(ids)
		for w := range repliers {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				for id := range ids {
					if r.IntN(2) == 0 {
						runtime.Gosched()
					}
					if r.IntN(6) == 0 {
						cancel()
					}
					op := replyOp{id: id, reply: true, value: fmt.Sprint("v", w)}
					began := clock.Add(1)
					record(op, began, outcome(e.Reply(id, text(op.value))))
				}
			})
		}
		wg.Wait()
		cancel()
		if !porcupine.CheckOperations(replyModel, h) {
			t.Fatalf("round %d: not linearizable: %+v", round, h)
		}
		for _, op := range h {
			if !op.Input.(replyOp).reply {
				if op.Output == gaveUp {
					late++
				} else {
					answered++
				}
			}
		}
	}
	if answered == 0 || late == 0 {
		t.Errorf("%d calls were answered, %d given up", answered, late)
	}
}

// The models themselves must be able to say no.
func TestModelsReject(t *testing.T) {
	ops := func(inputs []any, outputs ...string) (h []porcupine.Operation) {
		for i, in := range inputs {
			h = append(h, porcupine.Operation{Input: in, Output: outputs[i], Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		return h
	}
	send := func(v string) any { return queueOp{kind: 's', value: v} }
	recv := any(queueOp{kind: 'r'})
	kill := any(queueOp{kind: 'k'})
	for name, h := range map[string][]porcupine.Operation{
		"lifo":        ops([]any{send("a"), send("b"), recv}, "", "", "b"),
		"lost":        ops([]any{send("a"), recv}, "", blockOut),
		"twice":       ops([]any{send("a"), recv, recv}, "", "a", "a"),
		"overfull":    ops([]any{send("a"), send("b"), send("c")}, "", "", ""),
		"not full":    ops([]any{send("a"), send("b")}, "", blockOut),
		"undead":      ops([]any{send("a"), kill, recv}, "", "", "a"),
		"dead before": ops([]any{send("a")}, deadOut),
		"empty":       ops([]any{recv}, ""),
	} {
		if porcupine.CheckOperations(queueModel(2), h) {
			t.Errorf("%s: accepted", name)
		}
	}
	reply := func(v string) any { return replyOp{id: 1, reply: true, value: v} }
	end := any(replyOp{id: 1})
	for name, h := range map[string][]porcupine.Operation{
		"two replies":   ops([]any{reply("a"), reply("b")}, "", ""),
		"another's":     ops([]any{reply("a"), end}, "", "b"),
		"none":          ops([]any{end}, "a"),
		"late":          ops([]any{end, reply("a")}, gaveUp, ""),
		"refused early": ops([]any{reply("a")}, ErrNoCall.Error()),
	} {
		if porcupine.CheckOperations(replyModel, h) {
			t.Errorf("%s: accepted", name)
		}
	}
}
