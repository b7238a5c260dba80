// Gate does through the gate what only a booted machine can show: spaces that labels and profiles
// don't touch, Linux calls that ask, revocations that cut them off. It prints what is wrong, and
// exits 1 then; else it waits until the operator revokes its endpoint, and powers off with 3. With an
// argument it reads from the console instead.
//
// It trusts nobody: all that it does a program can do.
package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	_ "pdac/board/qemu-amd64"
	"pdac/kernel/gate"
)

var root gate.Roots

var failed atomic.Bool

// check reports what is wrong unless ok.
func check(ok bool, format string, args ...any) {
	if !ok {
		failed.Store(true)
		fmt.Printf(format+"\n", args...)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// in runs f in a space, and waits for it.
func in(space gate.ID, f func()) {
	var wg sync.WaitGroup
	wg.Add(1)
	if err := gate.Go(space, func() {
		defer wg.Done()
		f()
	}); err != nil {
		panic(err)
	}
	wg.Wait()
}

func main() {
	root = gate.Root()
	if len(os.Args) > 1 {
		typed()
		end()
	}
	labels()
	spaceless()
	cutOff()
	calls()
	collection()
	pages()
	if failed.Load() {
		os.Exit(1)
	}
	wait()
}

// wait receives until the operator has had enough.
func wait() {
	e := must(gate.EndpointCreate(root.Endpoints, gate.EndpointOptions{Capacity: 5}))
	fmt.Println("all as it should be")
	var m gate.Message
	err := gate.EndpointRecv(e, nil, &m)
	check(errors.Is(err, gate.ErrRevoked), "a call that the operator has cut off: %v", err)
	if !failed.Load() {
		fmt.Println("the operator has revoked the endpoint")
	}
	end()
}

// end powers off, with 3 if all was right. It doesn't return.
func end() {
	if failed.Load() {
		os.Exit(1)
	}
	fmt.Println(gate.PowerOff(root.Power, 3))
}
