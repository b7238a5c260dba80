package linux

import (
	"fmt"
	"strings"
	"testing"

	"pdac/kernel/vm"
)

func TestMaps(t *testing.T) {
	m := bootFiles(t, 1, nil)
	const at, n, anon = 0xc0_0000_0000, 16 * vm.PageSize, vm.MapPrivate | vm.MapAnonymous
	none := ^uint64(0)
	var want strings.Builder
	for i, prot := range []uint64{0, vm.ProtRead, vm.ProtRead | vm.ProtWrite, vm.ProtRead | vm.ProtExec} {
		start := at + 2*n*uint64(i)
		m.want(int64(start), nrMmap, start, n, prot, anon, none, 0)
		fmt.Fprintf(&want, "%012x-%012x %sp 00000000 00:00 0 \n", start, start+n, []string{"---", "r--", "rw-", "r-x"}[i])
	}
	fd := m.open("/proc/self/maps")
	if got := string(m.readAll(fd)); got != want.String() { // in pieces smaller than a line
		t.Errorf("maps read\n%swant\n%s", got, want.String())
	}
	b := make([]byte, maxPath)
	p, size := bytesAt(b)
	m.want(0, nrRead, fd, p, size)
	again := m.open("/proc/self/maps")
	m.want(0, nrRead, again, p, 0)
	m.want(efault, nrRead, again, badAddress, size)
	m.want(int64(want.Len()), nrRead, again, p, size)
	m.want(0, nrMunmap, at, 8*n)
	m.want(0, nrRead, m.open("/proc/self/maps"), p, size)
}
