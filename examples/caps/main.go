// Caps is a server that lends its log to a client, to read and for a short time, and shows what the
// client can do with that. It imports nothing of the kernel but the gate, so it needs no trust.
package main

import (
	"fmt"
	"os"
	"time"

	_ "pdac/board/qemu-amd64"
	"pdac/kernel/gate"
)

// loan is how long the client may read.
const loan = 200 * time.Millisecond

func main() {
	root := gate.Root()

	// Neither space may touch files, devices or input: they have nothing but what they are given.
	server := must(gate.NewSpace(root.Spaces, gate.Authority{}))
	client := must(gate.NewSpace(root.Spaces, gate.Authority{}))

	// An endpoint between them. Who may write to it may call, who may read may receive and reply.
	requests := must(gate.EndpointCreate(root.Endpoints, gate.EndpointOptions{}))
	in := must(gate.CapDerive(requests, number(server), gate.Read, gate.Options{}))
	out := must(gate.CapDerive(requests, number(client), gate.Write, gate.Options{}))

	// The server gets the log, and may lend it. Both get the time.
	log := must(gate.CapDerive(root.Log, number(server), gate.Read|gate.Write|gate.Delegate|gate.Transfer, gate.Options{}))
	clock := must(gate.CapDerive(root.Clock, 0, gate.Read, gate.Options{}))

	check(gate.Go(server, func() { serve(in, log, clock) }))
	done := make(chan bool)
	check(gate.Go(client, func() {
		defer close(done)
		use(out, clock, func() { check(gate.CapRevoke(root.Log, log)) })
	}))
	<-done
}

// serve lends the log to everyone who calls: what it replies carries a capability of its own, which
// is moved into the caller's space and dies by itself.
func serve(in, log, clock gate.ID) {
	var m gate.Message
	for err := gate.EndpointRecv(in, nil, &m); err == nil; {
		until := must(gate.TimeNow(clock)) + loan
		lent, refused := gate.CapDerive(log, 0, gate.Read|gate.Transfer, gate.Options{Formula: &gate.Formula{ExpiresAt: uint64(until)}})
		caller := m.Call
		if m = (gate.Message{}); refused != nil {
			m.Put([]byte(refused.Error()))
		} else {
			m.Caps, m.Cap[0] = 1, gate.Carried{ID: lent, Mode: gate.ByTransfer}
		}
		err = gate.EndpointReplyRecv(in, nil, caller, &m) // the reply, and then the next request
	}
}

// use borrows the log twice. revoke takes it from the server.
func use(out, clock gate.ID, revoke func()) {
	log := borrow(out)
	say("read the log", read(log))
	say("write to it", gate.LogAppend(log, gate.LevelInfo, "I was here"))
	_, err := gate.CapDerive(log, 0, gate.Read, gate.Options{})
	say("lend it to others", err)
	_, err = os.ReadFile("/proc/self/maps")
	say("read a file", err)
	say("guess a capability", read(log+1<<24))

	check(gate.TimeSleepUntil(clock, must(gate.TimeNow(clock))+loan))
	say("read the log, later", read(log))

	log = borrow(out)
	say("read the log again", read(log))
	revoke()
	say("read it when the server has lost it", read(log))
}

// borrow asks the server for the log.
func borrow(out gate.ID) gate.ID {
	var m gate.Message
	check(gate.EndpointCall(out, nil, &m, &m))
	if m.Caps == 0 {
		fmt.Printf("the server says: %s\n", m.Payload())
		os.Exit(1)
	}
	return m.Cap[0].ID
}

func read(log gate.ID) error {
	var e gate.LogEntry
	_, err := gate.LogRead(log, 0, &e)
	return err
}

// say prints what came of trying something.
func say(what string, err error) {
	if err == nil {
		fmt.Printf("%-36s yes\n", what)
	} else {
		fmt.Printf("%-36s no: %v\n", what, err)
	}
}

func number(space gate.ID) gate.Space { return must(gate.SpaceNumber(space)) }

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
