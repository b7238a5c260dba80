package lockfree

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// fault is a way to get the queue wrong.
type fault int

const (
	noFault        fault = iota
	noTags               // incarnations don't count
	noTagInPop           // Pop trusts the next word of a node that has left
	noTagInPush          // Push goes where a node that has left leads
	valueLate            // Pop reads the value after its CAS
	publishEarly         // Push writes the value after its CAS
	tailStays            // Pop moves head past tail
	tailBeforeHead       // Pop looks at tail before it loads head
	tailAfterHead        // Pop looks at tail after its CAS, as Doherty's, which knows no batches
	tailFirst            // Push moves tail before it links
	emptyByTail          // Pop takes head == tail for empty, as if tail never lagged
)

var faultNames = [...]string{"none", "no tags", "no tag in Pop", "no tag in Push", "value late", "published early",
	"tail stays", "tail looked at before head", "tail looked at after head", "tail first", "empty by tail"}

// stepped is Queue, word for word, but that its caller says when each access to shared memory
// happens, and that it can have a fault. Only one call of it runs at a time.
type stepped struct {
	head, tail uint64
	turns      *turns
	fault      fault
}

func (q *stepped) load(word *uint64) uint64 {
	q.turns.step()
	return *word
}

func (q *stepped) store(word *uint64, v uint64) {
	q.turns.step()
	*word = v
}

func (q *stepped) cas(word *uint64, old, new uint64) bool {
	q.turns.step()
	if *word != old {
		return false
	}
	*word = new
	return true
}

func (q *stepped) init(nodes []Node, dummy uint32) {
	q.head = q.begin(nodes, dummy, 0)
	q.tail = q.head
}

func (q *stepped) begin(nodes []Node, n, behind uint32) uint64 {
	next := &nodes[n].next
	tag := q.load(next)&tagMask + tagOne
	if q.fault == noTags {
		tag = 0
	}
	q.store(next, tag|uint64(behind))
	return tag | uint64(n)
}

func (q *stepped) name(nodes []Node, n uint32) uint64 {
	return q.load(&nodes[n].next)&tagMask | uint64(n)
}

func (q *stepped) PushAll(nodes []Node, own []uint32, values []uint64) {
	end := len(own) - 1
	if end < 0 {
		return
	}
	if q.fault == publishEarly {
		defer q.store(&nodes[own[end]].value, values[end])
	} else {
		q.store(&nodes[own[end]].value, values[end])
	}
	last := q.begin(nodes, own[end], 0)
	for i := end - 1; i >= 0; i-- {
		q.store(&nodes[own[i]].value, values[i])
		q.begin(nodes, own[i], own[i+1]+1)
	}
	q.link(nodes, own[0], last)
}

func (q *stepped) link(nodes []Node, first uint32, last uint64) {
	for {
		t := q.load(&q.tail)
		end := t & tagMask
		next := &nodes[uint32(t)].next
		if q.fault == tailFirst {
			if q.cas(&q.tail, t, last) {
				q.store(next, end|uint64(first+1))
				return
			}
			continue
		}
		if q.cas(next, end, end|uint64(first+1)) {
			q.cas(&q.tail, t, last)
			return
		}
		if behind := q.load(next); behind&tagMask == end || q.fault == noTagInPush {
			q.cas(&q.tail, t, q.name(nodes, uint32(behind)-1))
		}
	}
}

func (q *stepped) Pop(nodes []Node) (v uint64, n uint32, ok bool) {
	for {
		var early uint64
		if q.fault == tailBeforeHead {
			early = q.load(&q.tail)
		}
		h := q.load(&q.head)
		next := q.load(&nodes[uint32(h)].next)
		if next&tagMask != h&tagMask && q.fault != noTagInPop {
			continue
		}
		if uint32(next) == 0 || q.fault == emptyByTail && q.load(&q.tail) == h {
			return 0, 0, false
		}
		first := q.name(nodes, uint32(next)-1)
		switch q.fault {
		case tailStays, tailAfterHead:
		case tailBeforeHead:
			if early == h {
				q.cas(&q.tail, h, first)
			}
		default:
			if q.load(&q.tail) == h {
				q.cas(&q.tail, h, first)
			}
		}
		if q.fault != valueLate {
			v = q.load(&nodes[uint32(first)].value)
		}
		if q.cas(&q.head, h, first) {
			if q.fault == tailAfterHead && q.load(&q.tail) == h {
				q.cas(&q.tail, h, first)
			}
			if q.fault == valueLate {
				v = q.load(&nodes[uint32(first)].value)
			}
			return v, uint32(h), true
		}
	}
}

// tryFault runs one history of queues with a fault and says what went wrong.
func tryFault(f fault, seed uint64) error {
	const workers, calls, hand = 4, 5, 2
	nodes := make([]Node, workers*hand+queues)
	var t turns
	var q [queues]*stepped
	for k := range q {
		q[k] = &stepped{fault: f, turns: &t}
		q[k].init(nodes, uint32(workers*hand+k))
	}
	var clock atomic.Int64
	histories := make([][]porcupine.Operation, workers)
	var bodies []func()
	for w := range workers {
		bodies = append(bodies, func() {
			r := rand.New(rand.NewPCG(seed, uint64(w+1)))
			histories[w] = callQueues(q, nodes, []uint32{uint32(w * hand), uint32(w*hand + 1)}, w, calls, r, &clock)
		})
	}
	if err := t.run(seed, 5000, bodies...); err != nil {
		return err
	}
	if !porcupine.CheckOperations(queueModel, slices.Concat(histories...)) {
		return errors.New("not linearizable")
	}
	return nil
}

// The histories and their check find each fault, and nothing in the queue without one. The seeds
// are fixed, so the outcome is.
func TestQueueFaultsAreFound(t *testing.T) {
	const enough = 8000 // histories for the rarest fault, in which three calls stand still at once
	for f, name := range faultNames {
		t.Run(name, func(t *testing.T) {
			if fault(f) != noFault {
				for seed := range uint64(enough) {
					if err := tryFault(fault(f), seed); err != nil {
						t.Logf("seed %d: %v", seed, err)
						return
					}
				}
				t.Fatalf("not found in %d histories", enough)
			}
			histories := uint64(enough)
			if testing.Short() {
				histories /= 10
			}
			for seed := range histories {
				if err := tryFault(noFault, seed); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}
