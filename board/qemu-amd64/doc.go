// Package board holds what is true of one machine only: an x86-64 PC, as QEMU
// models it (q35, pc) and as firmware hands it over. Importing it for its side
// effect turns an ordinary Go program into a kernel image:
//
//	import _ "pdac/board/qemu-amd64"
//
// The image's ELF entry is Entry (entry_amd64.s). It runs start on the boot
// CPU: memory map, ACPI, page tables, frames, the other CPUs, clocks. Then the
// Go runtime's own entry starts as the first task, and everything that it asks
// of Linux arrives at the trap entries (trap_amd64.s).
//
// World: below the runtime, but for above.go, whose init starts the console
// and which does nothing in a process that did not enter through Entry.
//
// Manuals: Intel 64 and IA-32 Architectures Software Developer's Manual
// ("SDM"), volume 3A; Xen's docs/misc/pvh.pandoc for the entry contract; ACPI
// 6.5 for the tables.
package board
