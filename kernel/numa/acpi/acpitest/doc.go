// Package acpitest builds ACPI tables and loads captured ones, for tests of kernel/numa.
//
// World: host tests only.
package acpitest
