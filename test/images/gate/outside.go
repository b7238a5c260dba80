package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"pdac/kernel/gate"
)

const file = "/proc/self/maps"

// refused reads the file and reports whether that was refused.
func refused() bool {
	_, err := os.ReadFile(file)
	return errors.Is(err, fs.ErrPermission)
}

// nobody checks that the caller has no authority but to write to the console.
func nobody(who string) {
	check(refused(), "%s reads a file", who)
	check(gate.Root() == gate.Roots{}, "%s gets the roots", who)
	_, err := os.Stderr.WriteString(who + " writes to the console\n")
	check(err == nil, "%s cannot write to the console: %v", who, err)
	_, err = gate.NewSpace(root.Spaces, gate.Authority{})
	check(errors.Is(err, gate.ErrNoSpace), "%s makes a space: %v", who, err)
}

// labels: what a goroutine is labelled with has nothing to do with its space.
func labels() {
	check(!refused(), "the root is refused to read")
	reader := must(gate.NewSpace(root.Spaces, gate.Authority{Files: root.Files}))
	number := must(gate.SpaceNumber(reader))
	here := func(who string) {
		i, err := gate.TaskInfo(root.Task)
		check(err == nil && i.Space == number, "%s is in space %d (%v), want %d", who, i.Space, err, number)
		check(!refused(), "%s is refused to read", who)
		check(gate.Root() == gate.Roots{}, "%s gets the roots", who)
	}
	in(reader, func() {
		pprof.Do(context.Background(), pprof.Labels("space", "1", "pdac.space", "1", "", "\x01"), func(ctx context.Context) {
			here("who is in pprof.Do")
			done := make(chan bool)
			go func() {
				here("a child in pprof.Do")
				close(done)
			}()
			<-done
			pprof.Do(ctx, pprof.Labels("more", "2"), func(context.Context) { here("who is in the inner pprof.Do") })
		})
		here("who was in pprof.Do")
	})
	none := must(gate.NewSpace(root.Spaces, gate.Authority{}))
	in(none, func() {
		pprof.Do(context.Background(), pprof.Labels("pdac.space", "1"), func(context.Context) {
			check(refused(), "forged labels read a file")
			check(gate.Root() == gate.Roots{}, "forged labels get the roots")
		})
		err := gate.Run(reader, func() { here("who runs in the reader's space") })
		check(err == nil, "Run: %v", err)
		check(refused(), "back from Run: may still read")
	})
}

// spaceless: what the runtime starts has no space.
func spaceless() {
	done := make(chan bool, 3)
	report := func(who string) func() {
		return func() {
			nobody(who)
			done <- true
		}
	}
	time.AfterFunc(time.Millisecond, report("AfterFunc"))
	runtime.AddCleanup(&[64]byte{1}, func(f func()) { f() }, report("a cleanup"))
	runtime.SetFinalizer(&[64]byte{1}, func(*[64]byte) { report("a finalizer")() })
	for n := 0; n < 3; {
		select {
		case <-done:
			n++
		case <-time.After(10 * time.Millisecond):
			runtime.GC()
		}
	}
}

// cutOff: a revocation ends what Linux calls may, through open files too.
func cutOff() {
	files := must(gate.CapDerive(root.Files, 0, gate.Read|gate.Delegate, gate.Options{}))
	reader := must(gate.NewSpace(root.Spaces, gate.Authority{Files: files}))
	now := must(gate.TimeNow(root.Clock))
	soon := must(gate.CapDerive(root.Files, 0, gate.Read|gate.Delegate,
		gate.Options{Formula: &gate.Formula{ExpiresAt: uint64(now + 100*time.Millisecond)}}))
	guest := must(gate.NewSpace(root.Spaces, gate.Authority{Files: soon}))
	in(reader, func() {
		f, err := os.Open(file)
		check(err == nil, "the reader opens a file: %v", err)
		defer f.Close()
		var b [10]byte
		_, err = f.Read(b[:])
		check(err == nil, "the reader reads: %v", err)
		_, err = os.OpenFile("/dev/null", os.O_WRONLY, 0)
		check(errors.Is(err, fs.ErrPermission), "the reader opens for writing: %v", err)
		err = gate.CapRevoke(root.Files, files)
		check(err == nil, "revoking: %v", err)
		_, err = f.Read(b[:])
		check(errors.Is(err, fs.ErrPermission), "an open file after the revocation: %v", err)
		check(refused(), "the reader reads after the revocation")
	})
	in(guest, func() {
		for !refused() {
			time.Sleep(time.Millisecond)
		}
		check(must(gate.TimeNow(root.Clock)) >= now+100*time.Millisecond, "refused too soon")
	})
	f, err := os.Open(file)
	check(err == nil, "the root opens a file: %v", err)
	_, err = io.Copy(io.Discard, f)
	check(err == nil, "the root reads: %v", err)
	f.Close()
}
