// Package ipc is how tasks talk: endpoints, to which messages are sent, and from which whoever may
// receive takes them. A message carries a short payload inline, capabilities, and pages that move
// without being copied.
//
// World: above the runtime. A blocked call is a blocked goroutine; no thread waits for it, and
// collections go on.
//
// The package knows no gate. The gate calls it inside an admitted call and brings along what it
// must do around a wait (Guard), how capabilities are derived and transferred (Capabilities) and
// how pages are moved (Pages).
//
//	message.go    what a message is, and which are refused
//	carry.go      capabilities and pages: all of a message's, or none
//	guard.go      what the gate does around a wait
//	waiters.go    the places of blocked calls, and who is the first of them
//	park.go       how a goroutine sleeps, and
//	switch_*.go   how it leaves the processor to another; in images, past the scheduler
//	semaphore.go  permits, handed over in the order of arrival
//	endpoint.go   the bounded queue: Send, Recv, Kill
//	call.go       Call, Reply and ReplyRecv
//	hand.go       a call's message, handed to the receiver who waits
//	table.go      endpoints by number, for objects of capabilities and for the console
//	remap.go      Pages by mremap(2)
//
// # Why two semaphores and a queue
//
// An endpoint is the bounded buffer of Dijkstra ("Cooperating sequential processes", 1965): permits
// for free slots, a queue, permits for queued messages. The queue is Michael and Scott's, the
// permits are counts whose sleepers are served in order. A permit is handed to the first sleeper
// and to nobody else; the message that goes with it takes the queue: one that overtook the queue
// could overtake another of the same sender, whose permit a receiver spent on an earlier message
// that was in the queue, but not counted yet. Past an empty queue a call's message may go (hand.go).
//
// # What a call and its reply cost
//
// Instructions, of two goroutines on one CPU, on average in the guest, and what they were when each
// message took the queue and each wait left and entered its section by two calls of the gate:
//
//	Call and ReplyRecv, through the gate     1,987  3,352
//	Call, Reply and Recv, through the gate   2,806  3,923
//	Call and ReplyRecv, without the gate     1,556  2,163
//	Call, Reply and Recv, without the gate   2,075  2,634
//
// Most turns of the first are 1,894: 470 are the runtime's, 194 giving the processor away and getting
// it back, 456 the gate's (200 around the two sleeps, 88 to be admitted), 138 the search for the
// receiver and his letter, 88 copying four times, 548 the places, the names and the ways there and
// back. The runtime's are more when it measures how long a goroutine waits to run, which it does
// each eighth time.
//
// Weighed, by the count of what they would save: copying to the other's Message itself, 90, which
// then is on the heap at each caller's; the runtime's switch from waiting to running in one step, as
// coroswitch does it, some 200 for each of the two, by a file of ours in package runtime; counting a
// section by the CPU of the one before, 10, and then CPUs share a counter.
//
// Rejected: a Go channel (closing it under senders panics, a select over it and its death takes
// every channel's lock, and it cannot tell how many wait); Scherer and Scott's dual queue (DISC
// 2004), which holds messages or sleepers, is exact where this is not (ErrWouldBlock), but cannot
// take a sleeper out of its middle: those who gave up stay in it behind one who waits for ever.
package ipc
