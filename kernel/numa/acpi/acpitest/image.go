package acpitest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Image is sparse physical memory: blocks of bytes by address.
type Image map[uint64][]byte

// Read returns n bytes at pa, or nil where no block has them all.
func (m Image) Read(pa, n uint64) []byte {
	for base, b := range m {
		size := uint64(len(b))
		if pa >= base && pa-base <= size && n <= size-(pa-base) {
			return b[pa-base:][:n:n]
		}
	}
	return nil
}

// LoadImage reads a captured machine: files named ADDRESS-NAME.bin, the physical address in hexadecimal.
func LoadImage(dir string) (Image, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.bin"))
	if err != nil {
		return nil, err
	}
	m := Image{}
	for _, name := range names {
		addr, _, _ := strings.Cut(filepath.Base(name), "-")
		pa, err := strconv.ParseUint(addr, 16, 64)
		if err != nil {
			return nil, err
		}
		if m[pa], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Machines returns the folders of real machines' tables under root, the repository's root folder: those in $PDAC_ACPI, or
// in shared/acpi beside the repository. There may be none.
func Machines(root string) []string {
	dir := os.Getenv("PDAC_ACPI")
	if dir == "" {
		dir = filepath.Join(root, "..", "shared", "acpi")
	}
	tables, _ := filepath.Glob(filepath.Join(dir, "*", "APIC.bin"))
	for i, t := range tables {
		tables[i] = filepath.Dir(t)
	}
	return tables
}
