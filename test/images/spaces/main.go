// Spaces looks at which capability space goroutines are in, what they may reach from
// there, and that labels and profiles are what they are on Linux. It prints what is
// wrong, and exits 1 then; else it waits.
package main

import (
	"fmt"
	"os"
	"sync/atomic"

	"pdac/kernel/space"
)

// Spaces of the test.
const (
	reader uint32 = 7 // may read files
	nobody uint32 = 8 // may do nothing
)

var failed atomic.Bool

// check reports what is wrong unless ok.
func check(ok bool, format string, args ...any) {
	if !ok {
		failed.Store(true)
		fmt.Printf(format+"\n", args...)
	}
}

// in runs f on a goroutine of its own in a space, and waits for it.
func in(s uint32, f func()) {
	done := make(chan bool)
	go func() {
		defer close(done)
		space.Set(s)
		f()
	}()
	<-done
}

// want checks the space of the calling goroutine.
func want(s uint32, who string) {
	got := space.Get()
	check(got == s, "%s: in space %d, want %d", who, got, s)
}

func main() {
	inherit()
	outside()
	profiles()
	if failed.Load() {
		os.Exit(1)
	}
	fmt.Println("all as it should be")
	select {} // the console tells how often calls were refused
}
