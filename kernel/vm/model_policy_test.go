package vm

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"

	"pdac/kernel/numa"
)

// The model's idea of which node a page is on. Each node has memory for all of the
// model's pages, so that a page of 4 KiB always comes from its policy's first choice;
// one of 2 MiB may find no whole block there, and is looked at.

// policy draws a policy, often Default.
func (m *model) policy(r *rand.Rand) numa.Policy {
	p, ok := numa.NewPolicy(numa.Mode(r.IntN(1<<numa.ModeBits)), r.Uint64N(1<<m.s.top.NNodes), m.s.top.Memory())
	if !ok {
		return numa.Policy{}
	}
	return p
}

// effective is the policy of page i, or p if that is given.
func (m *model) effective(p numa.Policy) numa.Policy {
	if p.Mode == numa.Default {
		return m.s.tasks[0]
	}
	return p
}

// place is where page i should come from: distances from node 0, where the CPU is, are by number.
func (m *model) place(i int) uint8 {
	p := m.effective(m.pages[i].policy)
	in := p.In(m.s.top.Memory())
	if in == 0 {
		return 0
	}
	if p.Mode.Base() == numa.Interleave {
		for n := m.at(i) / PageSize % uint64(bits.OnesCount64(in)); n > 0; n-- {
			in &= in - 1
		}
	}
	return uint8(bits.TrailingZeros64(in))
}

// nodeOf returns where page i is, and whether it is part of one of 2 MiB.
func (m *model) nodeOf(i int) (node uint8, huge bool) {
	e, shift := lookup(m.at(i))
	return m.s.nodeOf(frameOf(atomic.LoadUint64(e))), shift == pdShift
}

// adopt takes the nodes of pages as they are.
func (m *model) adopt(i, n int) {
	for ; n > 0; i, n = i+1, n-1 {
		if m.pages[i].resident {
			m.pages[i].node, _ = m.nodeOf(i)
		}
	}
}

func (m *model) checkNode(i int) error {
	if p := m.pages[i]; p.resident {
		if n, _ := m.nodeOf(i); n != p.node {
			return fmt.Errorf("page %d is on node %d, want %d, policy %+v", i, n, p.node, m.effective(p.policy))
		}
	}
	return nil
}

// setPolicy does that in the machine and the model.
func (m *model) setPolicy(r *rand.Rand, i, n int) error {
	p, flags := m.policy(r), uint64(r.IntN(policyFlags+1))
	mapped, strays := m.count(i, n), false
	in := p.In(m.s.top.Memory())
	m.fill(i, n, func(q *modelPage) { strays = strays || q.resident && in>>q.node&1 == 0 })

	err := SetPolicy(0, m.at(i), uint64(n)*PageSize, p, flags)
	want := Errno(0)
	switch {
	case mapped == 0, mapped != n && p.Mode != numa.Default:
		want = EFAULT
	case flags == PolicyStrict && strays && p.Mode != numa.Default:
		want = EIO
	}
	if want == 0 {
		m.fill(i, n, func(q *modelPage) {
			if q.mapped {
				q.policy = p
			}
		})
		if flags&policyMoves != 0 && m.move(i, n, in) && flags&PolicyStrict != 0 {
			want = EIO
		}
	}
	if err != want {
		return fmt.Errorf("SetPolicy of pages %d..%d to %+v, flags %d: error %d, want %d", i, i+n, p, flags, err, want)
	}
	return nil
}

// move moves the pages that are not on nodes of in, and says whether one stays where a policy that names
// nodes doesn't want it: of 2 MiB, for lack of whole blocks.
func (m *model) move(i, n int, in uint64) (stray bool) {
	for ; n > 0; i, n = i+1, n-1 {
		q := &m.pages[i]
		if !q.resident {
			continue
		}
		if now, huge := m.nodeOf(i); huge {
			q.node = now
			stray = stray || in != 0 && in>>now&1 == 0
		} else if in>>q.node&1 == 0 {
			q.node = m.place(i)
		}
	}
	return stray
}
