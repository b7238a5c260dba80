// Package workload is what the standard image shows first: real files are
// compressed and hashed on all CPUs, and every result is compared with the one
// that the host computed when the image was built.
//
// World: above the runtime; also runs on the host, where the expected results
// are made.
package workload

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Manifest is the name of the file, at the root of the archive, that lists the
// others.
const Manifest = "manifest.json"

// Item is one file and what must come out of it.
type Item struct {
	Name       string `json:"name"`
	Size       int    `json:"size"`        // bytes
	SHA256     string `json:"sha256"`      // of the file
	PackedSize int    `json:"packed_size"` // bytes, flate level 6
	Packed     string `json:"packed"`      // SHA-256 of those
}

// Packer compresses and hashes; one per worker.
type Packer struct {
	buf bytes.Buffer
	w   *flate.Writer
}

// Pack works on one file.
func (p *Packer) Pack(name string, b []byte) Item {
	p.buf.Reset()
	if p.w == nil {
		p.w, _ = flate.NewWriter(&p.buf, 6) // the level is valid
	} else {
		p.w.Reset(&p.buf)
	}
	p.w.Write(b) // a bytes.Buffer does not fail
	p.w.Close()
	sum, packed := sha256.Sum256(b), sha256.Sum256(p.buf.Bytes())
	return Item{name, len(b), hex.EncodeToString(sum[:]), p.buf.Len(), hex.EncodeToString(packed[:])}
}

// ErrNoArchive says that the image was built without files for the workload.
var ErrNoArchive = errors.New("the image has no files for the workload: build it by make, which makes the archive")

// Node counts a node's 4 KiB pages that were given out to CPUs of the node, and
// of others.
type Node struct {
	Local, Remote uint64
}

// Machine is what the workload needs to know; on a host it may be zero.
type Machine struct {
	NodeOf func(cpu int) int
	Nodes  func() []Node
	Pin    func(cpu int) error // bind the calling thread to a CPU
}

// Report is what came of a run.
type Report struct {
	Bytes uint64 // of the files
	Took  time.Duration
	CPUs  []Share
	Nodes []Node // pages taken meanwhile, by node
}

// Share is one CPU's part of a run.
type Share struct {
	Node  int
	Files int
	Bytes uint64 // of the files
	Busy  time.Duration
	err   error
}

// Run processes all files of the archive in fsys on all CPUs. It fails if a
// result is not the expected one. What it has to say on its way goes to progress.
func Run(progress io.Writer, fsys fs.FS, m Machine) (Report, error) {
	var r Report
	b, err := fs.ReadFile(fsys, Manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNoArchive
	}
	if err != nil {
		return r, err
	}
	var items []Item
	if err := json.Unmarshal(b, &items); err != nil {
		return r, fmt.Errorf("%s: %w", Manifest, err)
	}
	r.CPUs = make([]Share, runtime.NumCPU())
	fmt.Fprintf(progress, "%d files, to be compressed and hashed on %d CPUs\n", len(items), len(r.CPUs))
	if m.Nodes != nil {
		r.Nodes = m.Nodes()
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for cpu := range r.CPUs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r.CPUs[cpu] = work(fsys, items, &next, m, cpu)
		}()
	}
	wg.Wait()
	r.Took = time.Since(start)
	for cpu := range r.CPUs {
		s := &r.CPUs[cpu]
		if m.NodeOf != nil {
			s.Node = m.NodeOf(cpu)
		}
		r.Bytes += s.Bytes
		err = errors.Join(err, s.err)
	}
	if m.Nodes != nil {
		for i, n := range m.Nodes() {
			r.Nodes[i] = Node{n.Local - r.Nodes[i].Local, n.Remote - r.Nodes[i].Remote}
		}
	}
	return r, err
}

// work takes files until there are none, on one CPU. The goroutine's thread ends
// with it, since it is bound.
func work(fsys fs.FS, items []Item, next *atomic.Int64, m Machine, cpu int) (r Share) {
	if m.Pin != nil {
		runtime.LockOSThread()
		if r.err = m.Pin(cpu); r.err != nil {
			return r
		}
	}
	start := time.Now()
	defer func() { r.Busy = time.Since(start) }()
	var p Packer
	for {
		i := int(next.Add(1)) - 1
		if i >= len(items) {
			return r
		}
		b, err := fs.ReadFile(fsys, items[i].Name)
		if err != nil {
			r.err = err
			return r
		}
		got := p.Pack(items[i].Name, b)
		if got != items[i] {
			r.err = fmt.Errorf("%s: got %+v, the host computed %+v", items[i].Name, got, items[i])
			return r
		}
		r.Files++
		r.Bytes += uint64(got.Size)
	}
}
