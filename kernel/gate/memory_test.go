package gate

import (
	"errors"
	"testing"
)

func TestMemory(t *testing.T) {
	b := openGate(t)
	area := must(MemoryMap(b.root.Memory, pageSize+1))
	if len(area) != 2*pageSize {
		t.Fatalf("%d bytes", len(area))
	}
	area[0], area[pageSize] = 1, 2
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	m := Message{Ranges: 1, Range: [4]Range{RangeOf(area[pageSize:])}}
	other := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, other, func() {
		item := (*ItemError)(nil)
		if err := EndpointTrySend(e, &m); !errors.As(err, &item) || !item.Pages {
			t.Errorf("sending another space's pages: %v", err)
		}
		if MemoryUnmap(b.root.Memory, area) == nil || just(MemoryBytes(b.root.Memory, RangeOf(area))) == nil {
			t.Error("another space's memory is at hand")
		}
	})
	ok(t, EndpointTrySend(e, &m))
	faults(t, func() { sink = area[pageSize] })
	if MemoryUnmap(b.root.Memory, area) == nil {
		t.Error("unmapped what was sent")
	}
	in(t, other, func() {
		var got Message
		ok(t, EndpointTryRecv(e, &got))
		page := must(MemoryBytes(b.root.Memory, got.Range[0]))
		if page[0] != 2 {
			t.Errorf("page has %d, want 2", page[0])
		}
		page[0] = 3
		if i := must(MemoryInfo(b.root.Memory)); i != (Memory{1, pageSize}) {
			t.Errorf("%+v", i)
		}
		area = page
	})
	if i := must(MemoryInfo(b.root.Memory)); i.Areas != 1 {
		t.Errorf("%+v", i)
	}
	ok(t, CapDelete(other))
	faults(t, func() { sink = area[0] })
	quiet(t)
}
