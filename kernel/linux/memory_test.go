package linux

import (
	"bytes"
	"testing"

	"pdac/kernel/vm"
)

func TestMemoryCalls(t *testing.T) {
	m := boot(t, 1)
	const at, n, anon = 0xc0_0000_0000, 16 * vm.PageSize, vm.MapPrivate | vm.MapAnonymous
	none := ^uint64(0)
	m.want(at, nrMmap, at, n, vm.ProtRead|vm.ProtWrite, anon, none, 0)
	for _, x := range []struct {
		want int64
		nr   uint64
		args []uint64
	}{
		{ebadf, nrMmap, []uint64{0, n, 3, vm.MapPrivate, none, 0}},
		{enodev, nrMmap, []uint64{0, n, 3, vm.MapPrivate, 1, 0}},
		{einval, nrMmap, []uint64{0, 0, 3, anon, none, 0}},
		{eexist, nrMmap, []uint64{at, n, 3, anon | vm.MapFixedNoReplace, none, 0}},
		{einval, nrMunmap, []uint64{at + 1, n}},
		{einval, nrMprotect, []uint64{at + 1, n, 1}},
		{enomem, nrMprotect, []uint64{at + 64*n, n, 1}},
		{0, nrMprotect, []uint64{at, vm.PageSize, 0}},
		{0, nrMadvise, []uint64{at, n, vm.AdviseDontNeed}},
		{einval, nrMadvise, []uint64{at, n, 12345}},
		{0, nrBrk, []uint64{0}},
		{0, nrMlock, []uint64{at, n}},
		{einval, nrMremap, []uint64{at + 1, n, n, 1, 0}},
		{efault, nrMremap, []uint64{at + 64*n, n, n, 1, 0}},
		{enomem, nrMremap, []uint64{at + vm.PageSize, n - vm.PageSize, 1<<47 - 1<<39, 1, 0}},
	} {
		m.want(x.want, x.nr, x.args...)
	}
	if vm.Fault(0, at+2*vm.PageSize, vm.CodeWrite) != vm.Done || vm.Fault(0, at+70*vm.PageSize, 0) != vm.MapErr {
		t.Fatal("faults")
	}
	vec := new([100]byte)
	for i := range vec {
		vec[i] = 7
	}
	m.want(0, nrMincore, at, n, addressOf(vec))
	want := bytes.Repeat([]byte{0}, 16)
	want[2] = 1
	if !bytes.Equal(vec[:16], want) || vec[16] != 7 {
		t.Errorf("mincore %v", vec[:17])
	}
	m.want(einval, nrMincore, at+1, n, addressOf(vec))
	m.want(enomem, nrMincore, at+8*vm.PageSize, n, addressOf(vec))
	m.want(enomem, nrMincore, userEnd, n, addressOf(vec))
	m.want(efault, nrMincore, at, n, 8)
	// The pages go, what they leave takes no access, and they come back.
	const to = at + 1<<32
	m.want(0, nrMprotect, at, n, vm.ProtRead|vm.ProtWrite)
	m.want(to, nrMremap, at, n, n, vm.RemapMayMove|vm.RemapFixed|vm.RemapDontUnmap, to)
	m.want(0, nrMprotect, at, n, vm.ProtNone)
	if vm.Fault(0, at+2*vm.PageSize, 0) != vm.AccErr || vm.Fault(0, to+2*vm.PageSize, vm.CodeWrite) != vm.Done {
		t.Error("faults after mremap")
	}
	m.want(at, nrMremap, to, n, n, vm.RemapMayMove|vm.RemapFixed, at)
	if vm.Fault(0, at+2*vm.PageSize, 0) != vm.Done || vm.Fault(0, to+2*vm.PageSize, 0) != vm.MapErr {
		t.Error("faults after mremap back")
	}
	m.want(at, nrMremap, at, n, n/2, 0, 0)
	m.want(enomem, nrMincore, at, n, addressOf(vec))
	m.want(at, nrMremap, at, n/2, n, 0, 0)
	m.want(0, nrMunmap, at, n)
	m.want(enomem, nrMincore, at, n, addressOf(vec))
	// An answer of several pieces.
	m.want(at, nrMmap, at, 100*vm.PageSize, 3, anon|vm.MapFixed, none, 0)
	vm.Fault(0, at+99*vm.PageSize, vm.CodeWrite)
	m.want(0, nrMincore, at, 100*vm.PageSize-5, addressOf(vec))
	if vec[99] != 1 || vec[98] != 0 || vec[64] != 0 {
		t.Errorf("mincore %v", vec)
	}
}
