package linux

import (
	"math/bits"
	"testing"

	"pdac/kernel/vm"
)

// FuzzPolicyCalls makes the three calls with any arguments, and holds results, policies and pages to a model that goes
// by the kernel's own functions, step by step (Linux mm/mempolicy.c: sanitize_mpol_flags, get_nodes, mpol_new,
// mpol_set_nodemask, queue_pages_range, do_mbind, do_get_mempolicy, copy_nodes_to_user).

const (
	fuzzPages = 16
	fuzzHole  = 11 // this page is not mapped
	fuzzWords = 8  // of user memory for sets of nodes; what is behind can't be read
)

// modelPolicy is a policy as Linux keeps it: effective nodes and the user's.
type modelPolicy struct {
	mode, flags uint64
	nodes, user uint64
}

type policyModel struct {
	*machine
	task  modelPolicy
	areas [fuzzPages]modelPolicy
	node  [fuzzPages]int // -1: not there
	words []uint64
	at    uint64
}

func (m *policyModel) load(a uint64) (uint64, bool) {
	if a < m.at || a > m.at+(fuzzWords-1)*8 || a%8 != 0 {
		return 0, false
	}
	return m.words[(a-m.at)/8], true
}

// getNodes is get_nodes with MAX_NUMNODES 64.
func (m *policyModel) getNodes(mask, maxnode uint64) (nodes uint64, r int64) {
	maxnode--
	if maxnode == 0 || mask == 0 {
		return 0, 0
	}
	if maxnode > 4096*8 {
		return 0, einval
	}
	for maxnode > 64 {
		t, ok := m.load(mask + (maxnode-1)/64*8)
		if !ok {
			return 0, efault
		}
		if maxnode-64 >= 64 {
			maxnode -= 64
		} else {
			maxnode = 64
		}
		if t != 0 {
			return 0, einval
		}
	}
	t, ok := m.load(mask)
	if !ok {
		return 0, efault
	}
	if maxnode%64 != 0 {
		t &= 1<<(maxnode%64) - 1
	}
	return t, 0
}

// policy is sanitize_mpol_flags, get_nodes, mpol_new and mpol_set_nodemask; empty says that the call concerns no memory.
func (m *policyModel) policy(arg uint32, mask, maxnode uint64, empty bool) (p modelPolicy, r int64) {
	const static, relative, balancing = 1 << 15, 1 << 14, 1 << 13
	p.flags = uint64(arg) & (static | relative | balancing)
	p.mode = uint64(arg) &^ (static | relative | balancing)
	if p.mode > 5 || p.flags&balancing != 0 || p.flags == static|relative {
		return p, einval
	}
	nodes, r := m.getNodes(mask, maxnode)
	if r != 0 || empty {
		return p, r
	}
	switch {
	case p.mode == 0:
		if nodes != 0 {
			return p, einval
		}
		return modelPolicy{}, 0
	case p.mode == 1 && nodes == 0:
		if p.flags != 0 {
			return p, einval
		}
		p.mode = 4
	case p.mode == 4:
		if nodes != 0 || p.flags != 0 {
			return p, einval
		}
	case nodes == 0:
		return p, einval
	}
	if p.mode == 4 {
		return p, 0
	}
	p.user, p.nodes = nodes, nodes&testMemory
	if p.flags == relative {
		p.nodes = 0
		for i := range 64 { // fold to the weight, then onto the nodes with memory: 0 and 2
			if nodes>>i&1 != 0 {
				p.nodes |= 1 << (i % 2 * 2)
			}
		}
	}
	if p.nodes == 0 {
		return p, einval
	}
	if p.mode == 1 {
		p.nodes &= -p.nodes
	}
	return p, 0
}

// told is what get_mempolicy says of p.
func (p modelPolicy) told() (mode, nodes uint64) {
	if p.flags != 0 {
		return p.mode | p.flags, p.user
	}
	return p.mode, p.nodes
}

// place is where a page comes from.
func (m *policyModel) place(page int) int {
	p := m.areas[page]
	if p.mode == 0 {
		p = m.task
	}
	nodes := p.nodes
	if nodes == 0 {
		return 0 // where the CPU is
	}
	if p.mode == 3 {
		for n := (policyAt/vm.PageSize + uint64(page)) % uint64(bits.OnesCount64(nodes)); n > 0; n-- {
			nodes &= nodes - 1
		}
	}
	return bits.TrailingZeros64(nodes) // the nearest to node 0
}

func (m *policyModel) mbind(addr, n, mode, mask, maxnode, flags uint64) int64 {
	size := (n + vm.PageSize - 1) &^ (vm.PageSize - 1)
	p, r := m.policy(uint32(mode), mask, maxnode, size == 0)
	if r != 0 {
		return r
	}
	flags = uint64(uint32(flags))
	if flags > 7 || addr%vm.PageSize != 0 || addr+size < addr {
		return einval
	}
	if size == 0 {
		return 0
	}
	if p.mode == 0 {
		flags &^= vm.PolicyStrict
	}
	var in []int
	for i := range fuzzPages {
		if a := policyAt + uint64(i)*vm.PageSize; i != fuzzHole && a >= addr && a < addr+size {
			in = append(in, i)
		}
	}
	if len(in) == 0 || p.mode != 0 && uint64(len(in)) != size/vm.PageSize {
		return efault
	}
	for _, i := range in {
		if flags == vm.PolicyStrict && m.node[i] >= 0 && p.nodes>>m.node[i]&1 == 0 {
			return eio
		}
	}
	for _, i := range in {
		m.areas[i] = p
		if flags&(vm.PolicyMove|vm.PolicyMoveAll) != 0 && m.node[i] >= 0 && p.nodes>>m.node[i]&1 == 0 {
			m.node[i] = m.place(i)
		}
	}
	return 0
}

func (m *policyModel) setMempolicy(mode, mask, maxnode uint64) int64 {
	p, r := m.policy(uint32(mode), mask, maxnode, false)
	if r == 0 {
		m.task = p
	}
	return r
}

// getMempolicy also tells what is written: of the mode 32 bits, and so many words of nodes.
func (m *policyModel) getMempolicy(mask, maxnode, addr, flags uint64) (mode, nodes uint64, words int, r int64) {
	if mask != 0 && maxnode < testNodes {
		return 0, 0, 0, einval
	}
	page := (addr - policyAt) / vm.PageSize
	mapped := addr >= policyAt && page < fuzzPages && page != fuzzHole
	p := m.task
	switch {
	case flags&^7 != 0, flags&4 != 0 && flags != 4:
		return 0, 0, 0, einval
	case flags == 4:
		nodes = testMemory
	case flags&2 != 0 && !mapped:
		return 0, 0, 0, efault
	case flags&2 != 0:
		p = m.areas[page]
	case addr != 0:
		return 0, 0, 0, einval
	}
	switch {
	case flags == 4:
	case flags == 3:
		if m.node[page] < 0 {
			m.node[page] = m.place(int(page))
		}
		_, nodes = p.told()
		mode = uint64(m.node[page])
	case flags == 1:
		if p.mode != 3 {
			return 0, 0, 0, einval
		}
		_, nodes = p.told()
		mode = uint64(bits.TrailingZeros64(p.nodes))
	default:
		mode, nodes = p.told()
	}
	if mask == 0 {
		return mode, 0, 0, 0
	}
	bytes := (maxnode - 1 + 63) &^ 63 / 8
	if bytes > 4096 {
		return mode, 0, -1, einval
	}
	return mode, nodes, int(bytes / 8), 0
}

// compare checks the policy and the node of each page, without bringing any in.
func (m *policyModel) compare() {
	m.Helper()
	for i, p := range m.areas {
		if i == fuzzHole {
			continue
		}
		at := policyAt + uint64(i)*vm.PageSize
		got, _ := vm.PolicyAt(0, at)
		mode, nodes := p.told()
		if uint64(modeArg(got.Mode)) != mode || got.Nodes != nodes {
			m.Fatalf("after a call: page %d has %+v, want %#x of %#b", i, got, mode, nodes)
		}
		node := -1
		if f, ok := vm.Frame(at); ok {
			node = int(nodeOfFrame(f))
		}
		if node != m.node[i] {
			m.Fatalf("after a call: page %d is on node %d, want %d", i, node, m.node[i])
		}
	}
	got := thread(mainThread).policy()
	if mode, nodes := m.task.told(); uint64(modeArg(got.Mode)) != mode || got.Nodes != nodes {
		m.Fatalf("after a call: the task has %+v, want %#x of %#b", got, mode, nodes)
	}
}

// dice deals out the fuzzer's bytes.
type dice struct{ data []byte }

func (d *dice) byte() (b byte) {
	if len(d.data) != 0 {
		b, d.data = d.data[0], d.data[1:]
	}
	return b
}

func (d *dice) word() (w uint64) {
	for range 8 {
		w = w<<8 | uint64(d.byte())
	}
	return w
}

// of picks one of the values, or now and then anything.
func (d *dice) of(values ...uint64) uint64 {
	if b := int(d.byte()); b < 250 {
		return values[b%len(values)]
	}
	return d.word()
}

func (d *dice) mode() uint64 {
	return d.of(0, 1, 2, 3, 4, 5) | d.of(0, 0, 0, mpolStatic, mpolRelative, mpolStatic|mpolRelative, 1<<13, 1<<32)
}

func (d *dice) maxnode() uint64 {
	return d.of(65, 65, 65, 64, 4, 3, 2, 1, 0, 66, 129, 193, 128, 513, 4096*8, 4096*8+1, 4096*8+2)
}

func FuzzPolicyCalls(f *testing.F) {
	for seed := range uint64(64) {
		r := rng(seed)
		b := make([]byte, 2000)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &policyModel{machine: boot(t, 1)}
		m.mapPages(fuzzPages)
		m.want(0, nrMunmap, policyAt+fuzzHole*vm.PageSize, vm.PageSize)
		m.words, m.at = words(fuzzWords + 8)
		out, outAt := words(600)
		for i := range m.node {
			m.node[i] = -1
		}
		d := &dice{data}
		for range 200 {
			if len(d.data) == 0 {
				break
			}
			m.step(d, out, outAt)
		}
	})
}

// step makes a call.
func (m *policyModel) step(d *dice, out []uint64, outAt uint64) {
	clear(m.words)
	m.words[0] = d.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 1<<63)
	if d.byte() < 50 {
		m.words[1+d.byte()%(fuzzWords-1)] = 1
	}
	const unreadable = 8
	mask := []uint64{m.at, m.at, m.at, m.at, 0, unreadable}[d.byte()%6]
	maxnode := d.maxnode()
	if mask == m.at && maxnode > fuzzWords*64 && maxnode-1 <= vm.PageSize*8 {
		maxnode = fuzzWords*64 + 1 // what is behind could be read here
	}
	switch d.byte() % 4 {
	case 0:
		page, n := uint64(d.byte())%(fuzzPages+2), uint64(d.byte())%(fuzzPages+2)
		addr := d.of(policyAt+page*vm.PageSize, policyAt+page*vm.PageSize, policyAt+page*vm.PageSize+d.of(0, 1))
		size := d.of(n*vm.PageSize, n*vm.PageSize, n*vm.PageSize+1, ^uint64(0), -addr)
		mode, flags := d.mode(), d.of(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 1<<32)
		want := m.mbind(addr, size, mode, mask, maxnode, flags)
		m.want(want, nrMbind, addr, size, mode, mask, maxnode, flags)
	case 1:
		mode := d.mode()
		want := m.setMempolicy(mode, mask, maxnode)
		m.want(want, nrSetMempolicy, mode, mask, maxnode)
	case 2:
		m.get(d, out, outAt)
	default:
		page := int(d.byte()) % fuzzPages
		if vm.Fault(0, policyAt+uint64(page)*vm.PageSize, vm.CodeWrite) == vm.Done && m.node[page] < 0 {
			m.node[page] = m.place(page)
		}
	}
	m.compare()
}

func (m *policyModel) get(d *dice, out []uint64, outAt uint64) {
	for i := range out {
		out[i] = 0x7777_7777_7777_7777
	}
	page := uint64(d.byte()) % (fuzzPages + 1)
	addr := d.of(0, 0, policyAt+page*vm.PageSize, policyAt+page*vm.PageSize+7)
	flags := d.of(0, 1, 2, 3, 3, 4, 5, 6, 8)
	maxnode := d.maxnode()
	modeAt, maskAt := []uint64{0, outAt, outAt}[d.byte()%3], []uint64{0, outAt + 8, outAt + 8}[d.byte()%3]
	mode, nodes, n, want := m.getMempolicy(maskAt, maxnode, addr, flags)
	m.want(want, nrGetMempolicy, modeAt, maskAt, maxnode, addr, flags)
	const untouched = 0x7777_7777_7777_7777
	if modeAt != 0 && (want == 0 || n < 0) && out[0] != mode|untouched&^(1<<32-1) {
		m.Fatalf("get_mempolicy, flags %d: mode %#x, want %#x", flags, out[0], mode)
	}
	for i, w := range out[1:] {
		expect := uint64(untouched)
		if want == 0 && i < n {
			expect = 0
			if i == 0 {
				expect = nodes
			}
		}
		if w != expect {
			m.Fatalf("get_mempolicy, flags %d, maxnode %d: word %d is %#x, want %#x", flags, maxnode, i, w, expect)
		}
	}
}
