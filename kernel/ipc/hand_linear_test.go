package ipc

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"

	"pdac/kernel/cap"
	"pdac/kernel/rcu"
)

// refuser is a guard that refuses who has slept.
type refuser struct{}

func (refuser) Wait(_ cap.ID, _ cap.Perm, held rcu.Held, w *Watch) (rcu.Held, error) {
	w.Sleep()
	return held, errRevoked
}

// Calls among the senders: some of their messages are handed over, some take the queue, and some of the
// receivers are refused with a message in their hands. The model is the queue's; a call that gave up has
// sent its message if somebody received it.
func TestCallsLinearizable(t *testing.T) {
	const workers, calls, capacity = 5, 6, 2
	rounds := 800
	if testing.Short() {
		rounds = 150
	}
	refused, sent := 0, 0
	for round := range rounds {
		e := endpoint(t, Options{Capacity: capacity})
		ctx, cancel := context.WithCancel(context.Background())
		var working atomic.Int32
		working.Store(workers)
		go func() { // when all who still work wait, nobody else would end it
			until(func() bool {
				i := e.Info()
				return i.Callers+i.Senders+i.Receivers >= int(working.Load()) || working.Load() == 0
			})
			cancel()
		}()
		h := history(workers, func(w int, call func(queueOp, func() string)) {
			r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			for i := range calls {
				m := text(string(rune('A' + w*calls + i)))
				var in Message
				switch {
				case w == 0:
					call(queueOp{kind: 's', value: string(m.Payload())}, func() string { return outcome(e.Send(ctx, nil, m)) })
				case w < 3:
					call(queueOp{kind: 's', value: string(m.Payload())}, func() string { return outcome(e.Call(ctx, nil, 0, m, &in)) })
				default:
					var guard *Admission
					if r.IntN(3) == 0 {
						guard = &Admission{Guard: refuser{}}
					}
					call(queueOp{kind: 'r'}, func() string {
						if err := e.Recv(ctx, guard, &in); err != nil {
							return outcome(err)
						}
						return string(in.Payload())
					})
					if in.Call != 0 {
						e.Reply(in.Call, &in)
					}
				}
			}
			working.Add(-1)
		})
		cancel()
		rest := history(1, func(_ int, call func(queueOp, func() string)) { // what is left
			for in := new(Message); e.Info().Depth > 0; {
				call(queueOp{kind: 'r'}, func() string { e.TryRecv(in); return string(in.Payload()) })
			}
		})
		for _, op := range rest {
			op.Call, op.Return = op.Call+1<<32, op.Return+1<<32 // after all the others
			h = append(h, op)
		}
		received := map[string]bool{}
		for i := range h {
			if h[i].Input.(queueOp).kind == 'r' {
				received[h[i].Output.(string)] = true
			}
		}
		var kept []porcupine.Operation
		for _, op := range h {
			in := op.Input.(queueOp)
			switch {
			case in.kind == 's' && op.Output == gaveUp && received[in.value]:
				op.Output = ""
			case op.Output == errRevoked.Error():
				refused++
				continue
			}
			if op.Output == "" {
				sent++
			}
			kept = append(kept, op)
		}
		if !porcupine.CheckOperations(queueModel(capacity), kept) {
			t.Fatalf("round %d: not linearizable: %+v", round, kept)
		}
	}
	if refused == 0 || sent == 0 {
		t.Errorf("%d receivers were refused, %d messages sent", refused, sent)
	}
}
