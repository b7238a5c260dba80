package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"pdac/kernel/linux"
	"pdac/kernel/space"
)

const file = "/proc/self/maps"

// revoked says that reader may read files no more.
var revoked atomic.Bool

// asker stands for the gate. It runs below the runtime.
var asker linux.Ask = decide

func decide(_ int, s uint32, family linux.Family, rights linux.Rights) int64 {
	switch {
	case s == space.Root, s == space.Kernel:
		return 0
	case s == reader && family == linux.FamilyFiles && rights == linux.RightRead && !revoked.Load():
		return 0
	}
	return -int64(syscall.EACCES)
}

// refused reads file and reports whether that was refused.
func refused() bool {
	_, err := os.ReadFile(file)
	return errors.Is(err, fs.ErrPermission)
}

// outside checks what goroutines may reach from their spaces.
func outside() {
	linux.SetAsk(&asker)
	f, err := os.Open(file)
	check(err == nil, "the root opens a file: %v", err)
	defer f.Close()

	in(reader, func() {
		check(!refused(), "the reader is refused to read")
		_, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
		check(errors.Is(err, fs.ErrPermission), "the reader opens for writing: %v", err)
		check(errors.Is(os.Chdir("/"), fs.ErrPermission), "the reader changes the directory")
		mine, err := os.Open(file)
		check(err == nil, "the reader opens a file: %v", err)
		readable(mine, true)
		readable(f, true)
		in(nobody, func() { readable(mine, false) })
		revoked.Store(true)
		readable(mine, false)
		readable(f, false)
		revoked.Store(false)
		readable(mine, true)
		mine.Close()
	})
	for _, s := range []uint32{nobody, space.None} {
		in(s, func() {
			check(refused(), "space %d reads a file", s)
			readable(f, false)
			check(errors.Is(errOf(os.Stat("/")), fs.ErrPermission), "space %d looks at a file", s)
			check(errors.Is(errOf(f.Stat()), fs.ErrPermission), "space %d looks at an open file", s)
			check(errors.Is(errOf(os.ReadDir("/")), fs.ErrPermission), "space %d lists a directory", s)
			private(s)
		})
	}
	in(reader, func() { private(reader) })

	done := make(chan bool)
	time.AfterFunc(time.Millisecond, func() {
		check(refused(), "AfterFunc reads a file")
		os.Stdout.WriteString("AfterFunc writes to the console\n")
		pipe()
		close(done)
	})
	<-done
	check(!refused(), "the root is refused to read")
}

func errOf[T any](_ T, err error) error { return err }

// readable reads the rest of f and checks that it may, or may not.
func readable(f *os.File, may bool) {
	_, err := io.Copy(io.Discard, f)
	if may {
		check(err == nil, "space %d reads an open file: %v", space.Get(), err)
	} else {
		check(errors.Is(err, fs.ErrPermission), "space %d is refused an open file: %v", space.Get(), err)
	}
}

// private makes the kernel's own calls, for which only the root has the right.
func private(s uint32) {
	for _, nr := range []uintptr{linux.Crash, linux.MapDevice, linux.IRQWait} {
		_, _, errno := syscall.Syscall(nr, 0xfec00000, 4096, 0)
		check(errno == syscall.EACCES, "space %d makes call %#x: %v", s, nr, errno)
	}
}

// pipe sends something through a pipe, which is nobody's business.
func pipe() {
	r, w, err := os.Pipe()
	check(err == nil, "a pipe: %v", err)
	if err != nil {
		return
	}
	w.WriteString("text")
	w.Close()
	b, err := io.ReadAll(r)
	check(err == nil && string(b) == "text", "a pipe carries %q, %v", b, err)
	r.Close()
}
