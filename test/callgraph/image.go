package callgraph

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"sort"
)

// A function is a symbol of the text section.
type function struct {
	name       string
	addr, size uint64
}

// image is a linked program.
type image struct {
	functions []function // by address
	sections  []section  // with contents, in memory
}

type section struct {
	addr uint64
	data []byte
}

// load reads the ELF file of a Go program that has its symbol table.
func load(file string) (*image, error) {
	e, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	syms, err := e.Symbols()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	img := new(image)
	for _, s := range syms {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Size > 0 {
			img.functions = append(img.functions, function{s.Name, s.Value, s.Size})
		}
	}
	sort.Slice(img.functions, func(i, j int) bool { return img.functions[i].addr < img.functions[j].addr })
	for _, s := range e.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		data, err := s.Data()
		if err != nil {
			return nil, fmt.Errorf("%s: section %s: %w", file, s.Name, err)
		}
		img.sections = append(img.sections, section{s.Addr, data})
	}
	return img, nil
}

// named returns the functions of this name: an assembly function and its
// wrapper differ by a suffix, but file-local names can repeat.
func (img *image) named(name string) (found []function) {
	for _, f := range img.functions {
		if f.name == name {
			found = append(found, f)
		}
	}
	return found
}

// at returns the function that holds address a.
func (img *image) at(a uint64) (function, bool) {
	i := sort.Search(len(img.functions), func(i int) bool { return img.functions[i].addr > a })
	if i == 0 || !img.functions[i-1].holds(a) {
		return function{}, false
	}
	return img.functions[i-1], true
}

func (f function) holds(a uint64) bool { return a >= f.addr && a-f.addr < f.size }

// bytes returns n bytes at address a, or nil where the image has none.
func (img *image) bytes(a, n uint64) []byte {
	for _, s := range img.sections {
		if size := uint64(len(s.data)); a >= s.addr && a-s.addr <= size && n <= size-(a-s.addr) {
			return s.data[a-s.addr:][:n]
		}
	}
	return nil
}

// word returns the 8-byte word at address a.
func (img *image) word(a uint64) (uint64, bool) {
	b := img.bytes(a, 8)
	if b == nil {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}
