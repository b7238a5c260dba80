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
//	waiters.go    the places of blocked calls, and who is the first of them
//	park.go       how a goroutine sleeps, and
//	switch_*.go   how it leaves the processor to another; in images, past the scheduler
//	semaphore.go  permits, handed over in the order of arrival
//	endpoint.go   the bounded queue: Send, Recv, Kill
//	call.go       Call, Reply and ReplyRecv
//	table.go      endpoints by number, for objects of capabilities and for the console
//	remap.go      Pages by mremap(2)
//
// # Why two semaphores and a queue
//
// An endpoint is the bounded buffer of Dijkstra ("Cooperating sequential processes", 1965): permits
// for free slots, a queue, permits for queued messages. The queue is Michael and Scott's, the
// permits are counts whose sleepers are served in order. A permit is handed to the first sleeper
// and to nobody else; the message that goes with it takes the queue, which costs some sixty
// instructions more than giving it to the receiver itself, and is right: a message that overtook
// the queue could overtake another of the same sender, whose permit a receiver spent on an earlier
// message that was in the queue, but not counted yet.
//
// # What a call and its reply cost
//
// Instructions, of two goroutines on one CPU, without the gate, on average in the guest:
//
//	Call, Reply, Recv, each readied and found by the scheduler  2,875  of which 1,520 are the runtime's
//	Call gives the processor to the receiver                    2,584
//	and so does ReplyRecv to the caller                         2,114
//
// Most turns of the last are 1,960: 590 are the runtime's, 260 sleeping and waking, 190 the places of
// the two waits, 80 the search for the receiver, 230 copying four times (to a slot, from it, to the
// caller's place, from there), 180 the queue and its slots. The runtime's are more when it measures
// how long a goroutine waits to run, which it does each eighth time.
//
// Weighed, by the count of what they would save: handing the message to the receiver who waits, 340;
// he may be refused when he wakes up, and then it can't go back to the front of the queue, so that
// another of the same sender overtakes it. Readying from the stopped goroutine's own way into the
// scheduler, 25 for each switch. runtime.mcall in place of gopark, 45 for each switch, without the
// reason of the wait, and with more of the runtime's insides.
//
// Rejected: a Go channel (closing it under senders panics, a select over it and its death takes
// every channel's lock, and it cannot tell how many wait); Scherer and Scott's dual queue (DISC
// 2004), which holds messages or sleepers, is exact where this is not (ErrWouldBlock), but cannot
// take a sleeper out of its middle: those who gave up stay in it behind one who waits for ever.
package ipc
