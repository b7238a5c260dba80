// Package acpi reads the ACPI tables that the kernel needs before its runtime starts: where the CPUs, the memory domains
// and their distances are, and how to power off, reset and tell the time.
//
// World: boot, below the runtime. Nothing here allocates, and every parser fills a fixed-size struct of its caller's. The
// parsers take the bytes of one table; [Find] fetches those bytes through a function of the caller's, and alone verifies
// checksums. Structs that hold slices ([Tables], [SLIT], [HMAT]) are views of firmware memory for use during boot;
// everything else is plain data.
//
// Firmware is not trusted. What is unsound is left out, what is sound is used, and each fault leaves one [Problem] in the
// [Report], whose message says what was wrong, what was expected and what was done about it.
//
// Sources: Advanced Configuration and Power Interface Specification 6.5 (2022), cited at each field as "ACPI" with a section
// number; IA-PC HPET Specification 1.0a (2004); PCI Firmware Specification 3.3 (2021).
package acpi
