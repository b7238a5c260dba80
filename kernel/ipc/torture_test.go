package ipc

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"pdac/kernel/cap"
)

// Many send and receive, try, give up and lose their capabilities, until the endpoint dies in the middle.
// Each message that was accepted is received once or dropped, in the order of its sender, and what
// it carried has one owner or none; every call ends, and with the right answer if with one.
func TestTorture(t *testing.T) {
	rounds := 600
	if testing.Short() {
		rounds = 8
	}
	var total Info
	for round := range rounds {
		tortureOnce(t, uint64(round), &total)
	}
	t.Logf("%+v", total)
	if total.Dropped == 0 || total.Received == 0 || total.Replied == 0 {
		t.Error("not everything was tried")
	}
}

func tortureOnce(t *testing.T, seed uint64, total *Info) {
	const senders, receivers, callers = 4, 4, 3
	e, h, _ := carrying(t, Options{Capacity: 1 + int(seed%5)})
	var accepted, received [senders + callers]atomic.Int64
	var wg sync.WaitGroup
	wait := func(r *rand.Rand) (context.Context, *Admission) {
		runtime.Gosched() // those who have to give up get their turn
		switch r.IntN(4) {
		case 0:
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				runtime.Gosched()
				cancel()
			}()
			return ctx, nil
		case 1:
			g := new(gate)
			go func() {
				runtime.Gosched()
				g.revoke()
			}()
			return nil, g.in()
		}
		return nil, nil
	}
	expected := func(err error) bool {
		if err != nil && err != ErrDead && err != ErrWouldBlock && err != context.Canceled && err != errRevoked {
			t.Errorf("seed %d: %v", seed, err)
		}
		return err == nil
	}
	for w := range senders {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			for i := uint64(1); e.Err() == nil; i++ {
				m := new(Message)
				m.Len = 16
				binary.LittleEndian.PutUint64(m.Data[:], uint64(w))
				binary.LittleEndian.PutUint64(m.Data[8:], i)
				if r.IntN(4) == 0 {
					m.Caps, m.Cap[0] = 1, Cap{ID: h.create(client, cap.Transfer), Mode: Transfer}
				}
				ctx, g := wait(r)
				var err error
				if r.IntN(3) == 0 {
					err = e.TrySend(m)
				} else {
					err = e.Send(ctx, g, m)
				}
				if expected(err) {
					accepted[w].Add(1)
				} else if m.Caps != 0 {
					h.Drop(m.Cap[0].ID) // still the sender's
				}
			}
		})
	}
	for w := range callers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(100+w)))
			var m, reply Message
			for i := uint64(1); e.Err() == nil; i++ {
				m.Len = 16
				binary.LittleEndian.PutUint64(m.Data[:], uint64(senders+w))
				binary.LittleEndian.PutUint64(m.Data[8:], i)
				ctx, g := wait(r)
				if expected(e.Call(ctx, g, client, &m, &reply)) && binary.LittleEndian.Uint64(reply.Data[8:]) != i {
					t.Errorf("seed %d: call %d got the reply to %d", seed, i, binary.LittleEndian.Uint64(reply.Data[8:]))
				}
			}
		})
	}
	for w := range receivers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(200+w)))
			var m Message
			var last [senders + callers]uint64
			for {
				ctx, g := wait(r)
				var err error
				if r.IntN(3) == 0 {
					err = e.TryRecv(&m)
				} else {
					err = e.Recv(ctx, g, &m)
				}
				if !expected(err) {
					if err == ErrDead {
						return
					}
					continue
				}
				from, i := binary.LittleEndian.Uint64(m.Data[:]), binary.LittleEndian.Uint64(m.Data[8:])
				if i <= last[from] {
					t.Errorf("seed %d: message %d of %d after %d", seed, i, from, last[from])
				}
				last[from] = i
				received[from].Add(1)
				if m.Caps != 0 {
					h.Drop(m.Cap[0].ID) // panics if somebody else had it
				}
				if m.Call != 0 {
					if err := e.Reply(m.Call, &m); err != nil && err != ErrNoCall && err != ErrDead {
						t.Errorf("seed %d: %v", seed, err)
					}
				}
			}
		})
	}
	until(func() bool { return e.Info().Received > 200 })
	e.Kill(nil)
	wg.Wait()
	i := e.Info()
	if i.Sent != i.Received+i.Dropped {
		t.Errorf("seed %d: %+v", seed, i)
	}
	var out int64
	for w := range senders {
		out += accepted[w].Load()
		if received[w].Load() > accepted[w].Load() {
			t.Errorf("seed %d: sender %d: %d received of %d", seed, w, received[w].Load(), accepted[w].Load())
		}
	}
	if out > int64(i.Sent) {
		t.Errorf("seed %d: %d accepted, %d sent", seed, out, i.Sent)
	}
	if len(h.held) != 0 {
		t.Errorf("seed %d: %d capabilities have no owner", seed, len(h.held))
	}
	if n := e.callers.waiting() + e.room.waiters.waiting() + e.ready.waiters.waiting(); n != 0 {
		t.Errorf("seed %d: %d places are taken", seed, n)
	}
	total.Sent += i.Sent
	total.Received += i.Received
	total.Dropped += i.Dropped
	total.Replied += i.Replied
}
