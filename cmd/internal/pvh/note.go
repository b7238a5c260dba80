package pvh

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	physEntry32 = 18 // XEN_ELFNOTE_PHYS32_ENTRY, public/elfnote.h
	noteSize    = 24 // header, "Xen\0", 64-bit entry address

	// Offsets in the ELF-64 file header and program header.
	ehPhoff, ehPhentsize   = 32, 54
	phFilesz, phMemsz      = 32, 40
	textBase, lowMemoryEnd = 0x401000, 1 << 32 // the linker's default text address; the entry runs in 32-bit mode
)

// Result says what AddNote did.
type Result struct {
	Entry   uint64 // physical address of the entry
	Already bool   // the file had this very note before
}

// AddNote overwrites the PT_NOTE of the Go program in file, which the linker
// filled with the build ID, by a note that names the symbol entry as the
// 32-bit PVH entry. A file that has the note already is left alone.
//
// The error is one line and says what is wrong with the file: not a static
// x86-64 ELF with the stock Go layout, no such symbol, or no room.
func AddNote(file, entry string) (Result, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return Result{}, err
	}
	r, err := addNote(f, entry)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

func addNote(f *os.File, entry string) (Result, error) {
	e, err := elf.NewFile(f)
	if err != nil {
		return Result{}, errors.New("not an ELF file")
	}
	if err := stockLayout(e); err != nil {
		return Result{}, err
	}
	addr, err := symbol(e, entry)
	if err != nil {
		return Result{}, err
	}
	i, p, err := noteSegment(e)
	if err != nil {
		return Result{}, err
	}
	old := make([]byte, p.Filesz)
	if _, err := io.ReadFull(p.Open(), old); err != nil {
		return Result{}, fmt.Errorf("reading PT_NOTE: %w", err)
	}
	note := encode(addr)
	if bytes.Equal(old, note) {
		return Result{Entry: addr, Already: true}, nil
	}

	// What is left of the old note becomes zeros, so that nobody parses its tail.
	if _, err := f.WriteAt(append(note, make([]byte, len(old)-noteSize)...), int64(p.Off)); err != nil {
		return Result{}, err
	}
	phdr, err := headerOffset(f, i)
	if err != nil {
		return Result{}, err
	}
	size := binary.LittleEndian.AppendUint64(nil, noteSize)
	for _, field := range []int64{phFilesz, phMemsz} {
		if _, err := f.WriteAt(size, phdr+field); err != nil {
			return Result{}, err
		}
	}
	return Result{Entry: addr}, nil
}

func encode(addr uint64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, uint32(len("Xen\x00")))
	b = le.AppendUint32(b, 8)
	b = le.AppendUint32(b, physEntry32)
	b = append(b, "Xen\x00"...)
	return le.AppendUint64(b, addr)
}

// stockLayout checks what the entry code takes for granted: a static program
// linked at the default address, so that it may be loaded physical = virtual.
func stockLayout(e *elf.File) error {
	if e.Class != elf.ELFCLASS64 || e.Machine != elf.EM_X86_64 {
		return fmt.Errorf("%v for %v, want ELFCLASS64 for EM_X86_64", e.Class, e.Machine)
	}
	if e.Type != elf.ET_EXEC {
		return fmt.Errorf("%v, want ET_EXEC: built with -buildmode=pie or cgo?", e.Type)
	}
	if t := e.Section(".text"); t == nil || t.Addr != textBase {
		return fmt.Errorf("text is not at %#x: linked with -T or by another linker?", textBase)
	}
	for _, p := range e.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			return fmt.Errorf("dynamically linked (%v): build with CGO_ENABLED=0", p.Type)
		}
		if p.Type == elf.PT_LOAD && p.Paddr != p.Vaddr {
			return fmt.Errorf("segment at %#x has physical address %#x, want the same", p.Vaddr, p.Paddr)
		}
	}
	return nil
}

func symbol(e *elf.File, name string) (uint64, error) {
	syms, err := e.Symbols()
	if err != nil {
		return 0, errors.New("no symbol table: built with -ldflags -s?")
	}
	for _, s := range syms {
		if s.Name != name {
			continue
		}
		for _, p := range e.Progs {
			if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && s.Value >= p.Vaddr && s.Value < p.Vaddr+p.Filesz && s.Value < lowMemoryEnd {
				return s.Value, nil
			}
		}
		return 0, fmt.Errorf("symbol %s at %#x is not code below 4 GiB", name, s.Value)
	}
	return 0, fmt.Errorf("no symbol %s: does the program import the board, and is it linked with -E %s?", name, name)
}

func noteSegment(e *elf.File) (int, *elf.Prog, error) {
	for i, p := range e.Progs {
		if p.Type == elf.PT_NOTE {
			if p.Filesz < noteSize {
				return 0, nil, fmt.Errorf("PT_NOTE has %d bytes, the PVH note needs %d", p.Filesz, noteSize)
			}
			return i, p, nil
		}
	}
	return 0, nil, errors.New("no PT_NOTE to overwrite: linked with an empty -buildid?")
}

// headerOffset returns the file offset of program header i, which debug/elf
// does not tell.
func headerOffset(f io.ReaderAt, i int) (int64, error) {
	var h [64]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	return int64(le.Uint64(h[ehPhoff:])) + int64(i)*int64(le.Uint16(h[ehPhentsize:])), nil
}
