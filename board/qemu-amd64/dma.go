package board

import (
	"pdac/kernel/klog"
	"pdac/kernel/linux"
	"pdac/kernel/vm"
)

// dmaSize is the memory for the buffers of all drivers.
const dmaSize = 256 << 10

// dmaArea is that memory: below 4 GiB and identity-mapped, as TamaGo's drivers
// want it. Empty where there was none.
var dmaArea span

// reserveDMA takes it from the free RAM. It precedes mapImage.
func reserveDMA() {
	for i := range early.n {
		s := &early.free[i]
		if s.limit <= 4<<30 && s.limit-s.base >= 2*dmaSize {
			dmaArea = span{s.limit - dmaSize, s.limit}
			s.limit -= dmaSize
			return
		}
	}
	klog.New(klog.Warn).Str("dma: no free memory below 4 GiB; devices that need it are left out").End()
}

// mapDMA maps it.
func mapDMA() {
	mapFixed(dmaArea.base, dmaArea.limit, vm.KernelWrite)
}

// mapDeviceFor serves linux.MapDevice: registers of a device are neither RAM nor
// the image, and are mapped where they lie.
func mapDeviceFor(cpu int, pa, n uint64) int64 {
	from, to := pa&^(pageSize-1), (pa+n+pageSize-1)&^(pageSize-1)
	for _, r := range handover.ram[:handover.nram] {
		if from < r.limit && to > r.base {
			return linux.DeviceRefused
		}
	}
	if !vm.MapKernel(cpu, from, from, to-from, vm.KernelWrite|vm.KernelUncached) {
		return linux.DeviceNoMemory
	}
	return linux.DeviceMapped
}
