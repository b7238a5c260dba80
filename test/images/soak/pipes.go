package main

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"syscall"
	"time"
)

// pour writes n random bytes in pieces, closes, and returns their checksum.
func pour(w *worker, seed uint64, n int, to io.WriteCloser) uint32 {
	sum, b := uint32(0), make([]byte, 10_000)
	for n > 0 {
		piece := b[:min(n, 1+int(seed>>33)%len(b))]
		for i := range piece {
			seed = seed*6364136223846793005 + 1442695040888963407
			piece[i] = byte(seed >> 56)
		}
		sum = crc32.Update(sum, crc32.IEEETable, piece)
		_, err := to.Write(piece)
		must(err, "pipe: write")
		n -= len(piece)
		w.beat()
	}
	must(to.Close(), "pipe: close")
	return sum
}

// drain reads to the end and returns the checksum.
func drain(from io.Reader) (sum uint32, n int) {
	h := crc32.NewIEEE()
	m, err := io.Copy(h, struct{ io.Reader }{from})
	must(err, "pipe: read")
	return h.Sum32(), int(m)
}

// osPipes reads and writes pipes by way of epoll, with time-outs.
func osPipes(w *worker) func() {
	return func() {
		r, f, err := os.Pipe()
		must(err, "pipe")
		defer r.Close()
		if w.IntN(3) == 0 {
			d := time.Duration(w.IntN(3_000_000))
			start := time.Now()
			must(r.SetReadDeadline(start.Add(d)), "deadline")
			if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				bad("pipe: read with a time-out: %v", err)
			}
			early("pipe", start, d)
			must(r.SetReadDeadline(time.Time{}), "deadline")
		}
		check(w, r, f)
	}
}

func check(w *worker, r io.Reader, f io.WriteCloser) {
	n, seed := w.IntN(300_000), w.Uint64()
	sent := make(chan uint32)
	go func() { sent <- pour(w, seed, n, f) }()
	sum, got := drain(r)
	if want := <-sent; got != n || sum != want {
		bad("pipe: %d bytes with checksum %#x, want %d with %#x", got, sum, n, want)
	}
}

// fd is a descriptor without epoll: calls block in the kernel.
type fd int

func (f fd) Read(b []byte) (n int, err error) {
	for {
		n, err = syscall.Read(int(f), b)
		if err == nil && n == 0 && len(b) > 0 {
			return 0, io.EOF
		}
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

func (f fd) Write(b []byte) (n int, err error) {
	for n < len(b) {
		m, err := syscall.Write(int(f), b[n:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

func (f fd) Close() error { return syscall.Close(int(f)) }

func rawPipes(w *worker) func() {
	return func() {
		var p [2]int
		must(syscall.Pipe2(p[:], syscall.O_CLOEXEC), "pipe2")
		check(w, fd(p[0]), fd(p[1]))
		must(fd(p[0]).Close(), "pipe: close")
	}
}

// eventfds adds up in an eventfd what others write into it.
func eventfds(w *worker) func() {
	return func() {
		e, err := call(sysEventfd2, 0, efdNonblock|syscall.O_CLOEXEC, 0, 0, 0, 0)
		must(err, "eventfd2")
		f := os.NewFile(e, "eventfd")
		n, sum := 1+w.IntN(30), uint64(0)
		for i := range n {
			sum += uint64(i + 1)
		}
		go func() {
			for i := range n {
				_, err := f.Write(binary.LittleEndian.AppendUint64(nil, uint64(i+1)))
				must(err, "eventfd: write")
			}
		}()
		var b [8]byte
		for got := uint64(0); got < sum; {
			_, err := f.Read(b[:])
			must(err, "eventfd: read")
			v := binary.LittleEndian.Uint64(b[:])
			if v == 0 || v > sum-got {
				bad("eventfd: read %d, %d of %d to come", v, sum-got, sum)
			}
			got += v
			w.beat()
		}
		must(f.Close(), "eventfd: close")
	}
}
