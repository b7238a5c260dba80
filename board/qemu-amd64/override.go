package board

import (
	"unsafe"

	"pdac/kernel/klog"
	"pdac/kernel/linux"
)

// Firmware is wrong at times, and a machine's owner cannot always mend it. So a table in the archive of files, in the folder that
// Linux has for this (Documentation/admin-guide/acpi/initrd_table_override.rst), takes the place of the firmware's of the same
// name; of several, the last. It must be as sound as the firmware's.
//
// Of two tables of one name that the firmware has, such as QEMU's own and that of -acpitable, the first in the XSDT or RSDT counts,
// and the other is reported: acpi.Find.
const tableFolder = "kernel/firmware/acpi/"

// overrideTables replaces the firmware's tables. It runs on the entry's identity map.
func overrideTables() {
	files := earlyFiles()
	for off := uint64(0); ; {
		name, data, next := linux.FileAt(files, off)
		if hasPrefix(name, "./") { // find . | cpio
			name = name[2:]
		}
		if hasPrefix(name, tableFolder) && len(data) != 0 {
			pa := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(data))))
			if s, ok := tables.Override(firmware, pa, uint64(len(data)), &report); ok {
				klog.New(klog.Info).Str("acpi: ").Chars(s[:]).Str(" is that of ").Chars(name).Str(", not the firmware's").End()
			}
		}
		if next == 0 {
			return
		}
		off = next
	}
}

// earlyFiles returns the archive of files, as bootKernel does, before there is a direct map.
func earlyFiles() []byte {
	if r := handover.initrd; r.base < r.limit {
		return firmware(r.base, r.limit-r.base)
	}
	return unsafe.Slice(unsafe.StringData(archive), len(archive))
}
