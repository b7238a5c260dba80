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

// Node is what is known of a node's pages.
type Node struct {
	Local, Remote uint64 // 4 KiB pages given out so far to CPUs of the node, and of others
}

// Machine is what the workload needs to know; on a host it may be zero.
type Machine struct {
	NodeOf func(cpu int) int
	Nodes  func() []Node
	Pin    func(cpu int) error // bind the calling thread to a CPU
}

// result is one worker's share.
type result struct {
	files, in, out int
	busy           time.Duration
	err            error
}

// Run processes all files of the archive in fsys on all CPUs and writes a report
// to w. It fails if a result is not the expected one.
func Run(w io.Writer, fsys fs.FS, m Machine) error {
	b, err := fs.ReadFile(fsys, Manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoArchive
	}
	if err != nil {
		return err
	}
	var items []Item
	if err := json.Unmarshal(b, &items); err != nil {
		return fmt.Errorf("%s: %w", Manifest, err)
	}
	n := runtime.NumCPU()
	fmt.Fprintf(w, "workload: %d files, compressed and hashed on %d CPUs\n", len(items), n)
	var before []Node
	if m.Nodes != nil {
		before = m.Nodes()
	}
	results := make([]result, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for cpu := range results {
		wg.Add(1)
		go func() {
			defer wg.Done()
			results[cpu] = work(fsys, items, &next, m, cpu)
		}()
	}
	wg.Wait()
	return report(w, results, time.Since(start), m, before)
}

// work takes files until there are none, on one CPU. The goroutine's thread ends
// with it, since it is bound.
func work(fsys fs.FS, items []Item, next *atomic.Int64, m Machine, cpu int) (r result) {
	if m.Pin != nil {
		runtime.LockOSThread()
		if r.err = m.Pin(cpu); r.err != nil {
			return r
		}
	}
	start := time.Now()
	defer func() { r.busy = time.Since(start) }()
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
		r.files++
		r.in += got.Size
		r.out += got.PackedSize
	}
}

func report(w io.Writer, results []result, took time.Duration, m Machine, before []Node) error {
	var sum result
	fmt.Fprintf(w, "%5s %5s %6s %9s %9s %9s\n", "CPU", "node", "files", "KiB in", "KiB out", "KiB/s")
	for cpu, r := range results {
		node := 0
		if m.NodeOf != nil {
			node = m.NodeOf(cpu)
		}
		fmt.Fprintf(w, "%5d %5d %6d %9d %9d %9.0f\n", cpu, node, r.files, r.in>>10, r.out>>10, float64(r.in>>10)/r.busy.Seconds())
		sum.files += r.files
		sum.in += r.in
		sum.out += r.out
		if r.err != nil && sum.err == nil {
			sum.err = r.err
		}
	}
	fmt.Fprintf(w, "%5s %5s %6d %9d %9d %9.0f\n", "all", "", sum.files, sum.in>>10, sum.out>>10, float64(sum.in>>10)/took.Seconds())
	if m.Nodes != nil {
		fmt.Fprintf(w, "pages taken meanwhile: %8s %8s\n", "local", "remote")
		for i, n := range m.Nodes() {
			fmt.Fprintf(w, "  node %-15d %9d %8d\n", i, n.Local-before[i].Local, n.Remote-before[i].Remote)
		}
	}
	if sum.err != nil {
		return sum.err
	}
	fmt.Fprintf(w, "workload: all results as computed on the host, in %.2f s\n", took.Seconds())
	return nil
}
