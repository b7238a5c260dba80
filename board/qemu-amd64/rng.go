//go:build pdac

package board

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/usbarmory/tamago/dma"
	"github.com/usbarmory/tamago/kvm/virtio"
	"github.com/usbarmory/tamago/soc/intel/pci"

	"pdac/kernel/klog"
	"pdac/kernel/linux"
)

// virtio-rng (Virtual I/O Device 1.2, section 5.4): what it gives is mixed into
// the random numbers of all CPUs.
const (
	virtioVendor = 0x1af4
	virtioRNG    = 0x1040 + 4
	virtioV1     = 1 << 32 // VIRTIO_F_VERSION_1

	pciMemory = 1 << 1 // command register: answer memory cycles
	pciMaster = 1 << 2 // be a bus master

	seedBytes   = 64
	seedBuffers = 4
	seedWait    = time.Second
)

func init() {
	if startInfo == 0 || dmaArea.base == 0 {
		return
	}
	d := pci.Probe(0, virtioVendor, virtioRNG)
	if d == nil {
		return
	}
	go func() {
		if err := seedFrom(d); err != nil {
			klog.New(klog.Warn).Str("virtio-rng: ").Str(err.Error()).End()
		}
	}()
}

func seedFrom(d *pci.Device) error {
	d.Write(0, pci.Command, d.Read(0, pci.Command)|pciMemory|pciMaster)
	for bar := range 6 {
		base := uint64(d.BaseAddress(bar))
		if base == 0 || base >= 4<<30 {
			continue // absent, ports, or the upper half of the one before
		}
		if _, _, errno := syscall.Syscall(linux.MapDevice, uintptr(base), deviceWindow, 0); errno != 0 {
			return errno
		}
	}
	dma.Init(uint(dmaArea.base), int(dmaArea.limit-dmaArea.base))
	v := &virtio.PCI{Device: d}
	if err := v.Init(virtioV1); err != nil {
		return err
	}
	q := &virtio.VirtualQueue{}
	q.Init(seedBuffers, seedBytes, virtio.Write)
	v.SetQueueSize(0, seedBuffers)
	v.SetQueue(0, q)
	v.SetReady()
	v.QueueNotify(0)
	var seed [seedBytes]byte
	for end := time.Now().Add(seedWait); time.Now().Before(end); time.Sleep(time.Millisecond) {
		n, err := q.Pop(seed[:])
		if err != nil {
			return err
		}
		if n > 0 {
			klog.New(klog.Debug).Str("virtio-rng: ").Dec(uint64(n)).Str(" bytes mixed in").End()
			return os.WriteFile("/dev/urandom", seed[:n], 0)
		}
	}
	return errors.New("the device gave nothing for a second")
}

// deviceWindow is what is mapped of each of the device's windows: more than any
// virtio device of QEMU's has.
const deviceWindow = 16 << 10
