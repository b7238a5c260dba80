package gate

import (
	"testing"

	"pdac/kernel/space"
)

// Pages that come to a goroutine whose space has ended are given back: nobody would unmap them.
func TestPagesForTheDead(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	other := must(NewSpace(b.root.Spaces, Authority{}))
	m := Message{Ranges: 1, Range: [4]Range{RangeOf(must(MemoryMap(b.root.Memory, pageSize)))}}
	ok(t, EndpointSend(e, nil, &m))
	in(t, other, func() {
		dead := space.Get()
		ok(t, CapDelete(other))
		until(t, "the space's end", func() bool { return !alive(Space(dead)) })
		quiet(t)
		ok(t, EndpointRecv(e, nil, &m))
	})
	addresses.Lock()
	defer addresses.Unlock()
	if len(addresses.areas) != 0 {
		t.Errorf("mapped for ever: %+v", addresses.areas)
	}
}
