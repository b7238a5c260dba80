package lockfree

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// stackFault is a way to get the stack's tag wrong.
type stackFault int

const (
	stackRight      stackFault = iota
	stackUntagged              // nothing moves the tag
	stackPopAllKept            // PopAll does not move it
)

var stackFaultNames = [...]string{"none", "no tag", "PopAll keeps the tag"}

// steppedStack is Stack, but that its caller says when each access to shared memory happens, and
// that it can have a fault. Only one call of it runs at a time.
type steppedStack struct {
	head  uint64
	turns *turns
	fault stackFault
}

func (s *steppedStack) cas(old, new uint64) bool {
	s.turns.step()
	if s.head != old {
		return false
	}
	s.head = new
	return true
}

func (s *steppedStack) pushList(next []uint32, first, last uint32) {
	for {
		s.turns.step()
		h := s.head
		s.turns.step()
		next[last] = uint32(h)
		if s.cas(h, h&tagMask|uint64(first+1)) {
			return
		}
	}
}

func (s *steppedStack) pop(next []uint32) (uint32, bool) {
	for {
		s.turns.step()
		h := s.head
		if uint32(h) == 0 {
			return 0, false
		}
		s.turns.step()
		below := next[uint32(h)-1]
		moved := uint64(tagOne)
		if s.fault == stackUntagged {
			moved = 0
		}
		if s.cas(h, h&tagMask+moved|uint64(below)) {
			return uint32(h) - 1, true
		}
	}
}

func (s *steppedStack) popAll() (uint32, bool) {
	for {
		s.turns.step()
		h := s.head
		if uint32(h) == 0 {
			return 0, false
		}
		moved := uint64(tagOne)
		if s.fault != stackRight {
			moved = 0
		}
		if s.cas(h, h&tagMask+moved) {
			return uint32(h) - 1, true
		}
	}
}

// tryStackFault runs one history of a stack with a fault and says what went wrong.
func tryStackFault(f stackFault, seed uint64) error {
	const workers, calls = 3, 6
	next := make([]uint32, 2*workers)
	var t turns
	s := steppedStack{turns: &t, fault: f}
	var clock atomic.Int64
	histories := make([][]porcupine.Operation, workers)
	var bodies []func()
	for w := range workers {
		bodies = append(bodies, func() {
			r := rand.New(rand.NewPCG(seed, uint64(w+1)))
			mine := []byte{byte(2 * w), byte(2*w + 1)}
			for range calls {
				op, out := stackOp{kind: 'o'}, ""
				switch k := r.IntN(8); {
				case k == 0:
					op.kind = 'a'
				case k == 1 && len(mine) > 1:
					op = stackOp{'u', string(mine[:2])}
					next[mine[0]] = uint32(mine[1]) + 1
					mine = mine[2:]
				case k < 5 && len(mine) > 0:
					op = stackOp{'u', string(mine[:1])}
					mine = mine[1:]
				}
				call := clock.Add(1)
				switch op.kind {
				case 'u':
					s.pushList(next, uint32(op.list[0]), uint32(op.list[len(op.list)-1]))
				case 'o':
					if i, ok := s.pop(next); ok {
						out = string([]byte{byte(i)})
					}
				case 'a':
					for i, ok := s.popAll(); ok && len(out) <= len(next); i, ok = next[i]-1, next[i] != 0 {
						out += string([]byte{byte(i)})
					}
				}
				histories[w] = append(histories[w], porcupine.Operation{
					ClientId: w, Input: op, Call: call, Output: out, Return: clock.Add(1),
				})
				mine = append(mine, out...)
			}
		})
	}
	if err := t.run(seed, 5000, bodies...); err != nil {
		return err
	}
	if !porcupine.CheckOperations(stackModel, slices.Concat(histories...)) {
		return errors.New("not linearizable")
	}
	return nil
}

// The histories find a tag that not every removal moves, and nothing wrong with one that pushes leave
// alone.
func TestStackFaultsAreFound(t *testing.T) {
	const enough = 4000
	for f, name := range stackFaultNames {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(enough) {
				if err := tryStackFault(stackFault(f), seed); err == nil {
					continue
				} else if stackFault(f) == stackRight {
					t.Fatalf("seed %d: %v", seed, err)
				} else {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			if stackFault(f) != stackRight {
				t.Fatalf("not found in %d histories", enough)
			}
		})
	}
}
