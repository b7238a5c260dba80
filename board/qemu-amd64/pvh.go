package board

import (
	"pdac/asm"

	"pdac/kernel/klog"
)

// hvm_start_info, version 1 (Xen, public/arch-x86/hvm/start_info.h): offsets.
const (
	siMagic       = 0x336ec578
	siVersion     = 4
	siModules     = 12
	siModuleList  = 16
	siCmdline     = 24
	siRSDP        = 32
	siMemmap      = 40
	siMemmapCount = 48
)

// Memory map types (ACPI 6.5, table 15.6).
const memRAM = 1

// span is a range of physical memory.
type span struct{ base, limit uint64 }

// handover is what the boot loader told us, copied before its memory is reused.
var handover struct {
	cmdline  [4096]byte
	ncmdline int
	rsdp     uint64
	initrd   span
	ram      [128]span // type 1 ranges, as given
	nram     int
}

func load64(pa uint64) uint64 { return *(*uint64)(asm.Pointer(pa)) }
func load32(pa uint64) uint32 { return *(*uint32)(asm.Pointer(pa)) }
func load8(pa uint64) uint8   { return *(*uint8)(asm.Pointer(pa)) }

// readStartInfo copies the start info. It runs on the entry's identity map.
func readStartInfo() {
	h := &handover
	if load32(startInfo) != siMagic {
		die("PVH start info: wrong magic number")
	}
	if load32(startInfo+siVersion) < 1 {
		die("PVH start info: version 0 has no memory map; version 1 or later is needed")
	}
	if p := load64(startInfo + siCmdline); p != 0 {
		for h.ncmdline < len(h.cmdline) {
			b := load8(p + uint64(h.ncmdline))
			if b == 0 {
				break
			}
			h.cmdline[h.ncmdline] = b
			h.ncmdline++
		}
	}
	h.rsdp = load64(startInfo + siRSDP)
	if load32(startInfo+siModules) > 0 {
		m := load64(startInfo + siModuleList)
		h.initrd.base = load64(m)
		h.initrd.limit = h.initrd.base + load64(m+8)
	}
	mm := load64(startInfo + siMemmap)
	for i := range uint64(load32(startInfo + siMemmapCount)) {
		base, size, kind := load64(mm+24*i), load64(mm+24*i+8), load32(mm+24*i+16)
		if kind != memRAM || size == 0 {
			continue
		}
		if h.nram == len(h.ram) {
			klog.New(klog.Warn).Str("memory map: more than ").Dec(uint64(len(h.ram))).Str(" RAM ranges; the rest is left out").End()
			break
		}
		h.ram[h.nram] = span{base, base + size}
		h.nram++
	}
	if h.nram == 0 {
		die("PVH start info: the memory map has no RAM")
	}
}
