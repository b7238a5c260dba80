package ipc

// A call's message is handed to a receiver who waits for one, past the queue.
//
// Paper: J. Liedtke, "Improving IPC by Kernel Design", SOSP 1993, and the fast path of K. Elphinstone
// and G. Heiser, "From L3 to seL4", SOSP 2013: who calls finds the receiver waiting, and gives him
// message and processor.
//
// Words and writers: the word of the receiver's place (waiters.go), which who calls makes serving by
// CAS; the letter is his until he makes it handed. Before the wait and after it, it is the receiver's.
//
// Invariant: a message is handed over only if the queue was empty while its receiver waited, and the
// endpoint alive. So none overtakes another: whatever was sent before had been received.
//
// Linearization: Send and Recv both at the look at the queue (lockfree.Queue.Empty), if the CAS
// follows. It comes after the load of the word that the CAS expects, so the Recv was under way; the
// look at fate comes after it, so the endpoint was alive.
//
// Refusal: a receiver who may not have the message any more when he wakes up can't put it back in
// front, so he makes its caller's wait again, who sends it anew. Nobody is overtaken: who calls has
// no other message under way, and his Call has not returned. Hence calls alone are handed over, and
// a Send isn't; nor what carries capabilities or pages, which would be in the hands of two.
//
// Permits: who hands over counts a waiter out, as a release does, and serves him without a permit.
// Where nothing comes of it he counts him in again; and so does, for another, who gave up and had
// counted himself out when he was handed a message.
//
// Progress: lock-free. A receiver who gives up while he is handed a message waits until it is copied.

// hand hands m, a payload alone, to the receiver who waits longest, whom the caller must unpark. Nil:
// none waits, or others came first; m must take the queue.
func (e *Endpoint) hand(m *Message, call CallID) *parker {
	s := &e.ready
	if b := s.balance.Load(); b >= 0 || !s.balance.CompareAndSwap(b, b+1) {
		return nil
	}
	p, w := s.waiters.longest()
	if p == nil || !e.queue.Empty(e.nodes) || e.fate.Load() != nil || !p.word.CompareAndSwap(w, w-waiting+serving) {
		s.recount()
		return nil
	}
	m.copyData(p.letter)
	p.letter.Call = call
	p.word.Store(w - waiting + handed)
	return &p.parker
}

// open receives what was handed over.
func (e *Endpoint) open(letter, m *Message) {
	letter.copyData(m)
	m.Call = letter.Call
	e.counts.sent.Add(1)
	e.counts.received.Add(1)
}

// refuse has what was handed over sent anew, if its caller still waits.
func (e *Endpoint) refuse(letter *Message) {
	if p, w := e.caller(letter.Call); p.word.CompareAndSwap(w, w-waiting+again) {
		p.unpark()
	}
}
