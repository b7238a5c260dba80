package ipc

import "pdac/kernel/cap"

const (
	// MaxData is the longest payload in bytes. Two cache lines: a request with its arguments, or a
	// descriptor of what lies in pages that travel along; one that copies more gains nothing over
	// moving a page. (L4's and seL4's messages in registers are 32 to 64 bytes, QNX's pulses 12.)
	MaxData = 128

	// MaxCaps and MaxRanges are how many capabilities and ranges of pages a message carries.
	MaxCaps   = 4
	MaxRanges = 4

	// PageSize is what ranges are multiples of, in bytes.
	PageSize = 4096
)

// Mode is how a capability travels.
type Mode uint8

const (
	Derive   Mode = 1 + iota // the receiver gets a fresh one, derived from the sender's and narrowed
	Transfer                 // the sender's dies, and the receiver gets it under a new identifier
)

// Cap is a capability in a message. The sender sets all of it; the receiver finds the identifier
// that is his, and Mode as it was.
type Cap struct {
	ID   cap.ID
	Keep cap.Perm // of a derived one: its permissions. Ignored in a transfer
	Mode Mode
}

// Range is n bytes of whole pages from an address. The receiver finds the new address.
type Range struct {
	At, Len uintptr
}

// CallID names a call that waits for its reply; 0 is none. It is good at the endpoint that it was
// received from, where whoever may receive may reply.
type CallID uint64

// Message is what is sent, in memory of the caller's; nothing keeps a pointer to it. Only what the
// counts say is read and copied.
//
// Send and Reply change nothing when they fail, with one exception: if a capability that could be
// transferred when the call looked is revoked or narrowed before its turn, then those of the
// message that were transferred before it come back to the sender's space, which Caps then names by
// new identifiers.
type Message struct {
	Call CallID // set by Recv: who waits for a reply

	Len    int // bytes in Data
	Caps   int // in Cap
	Ranges int // in Range

	Data  [MaxData]byte
	Cap   [MaxCaps]Cap
	Range [MaxRanges]Range
}

// Put makes p the payload. Error: ErrTooLong.
func (m *Message) Put(p []byte) error {
	if len(p) > MaxData {
		return ErrTooLong
	}
	m.Len = copy(m.Data[:], p)
	return nil
}

// Payload returns the payload of a message that was received.
func (m *Message) Payload() []byte { return m.Data[:m.Len] }

// check says whether the message is well formed.
func (m *Message) check() error {
	switch {
	case uint(m.Len) > MaxData:
		return ErrTooLong
	case m.Caps < 0 || m.Caps > MaxCaps:
		return ErrTooManyCaps
	case m.Ranges < 0 || m.Ranges > MaxRanges:
		return ErrTooManyPages
	}
	return m.checkItems()
}

func (m *Message) checkItems() error {
	caps, ranges := m.Cap[:m.Caps], m.Range[:m.Ranges]
	for i, c := range caps {
		if c.Mode != Derive && c.Mode != Transfer {
			return &ItemError{Index: i, Err: ErrMode}
		}
		for _, d := range caps[:i] {
			if c.ID == d.ID && (c.Mode == Transfer || d.Mode == Transfer) {
				return &ItemError{Index: i, Err: ErrTwice}
			}
		}
	}
	for i, r := range ranges {
		if r.Len == 0 || (r.At|r.Len)%PageSize != 0 || r.At+r.Len < r.At {
			return &ItemError{Pages: true, Index: i, Err: ErrRange}
		}
		for _, q := range ranges[:i] {
			if r.At < q.At+q.Len && q.At < r.At+r.Len {
				return &ItemError{Pages: true, Index: i, Err: ErrTwice}
			}
		}
	}
	return nil
}

// copyTo copies what the counts say, and the counts. It reads each count once: of a message that is
// changed meanwhile it copies a mixture, but no more than there is.
func (m *Message) copyTo(to *Message) {
	m.copyData(to)
	if caps, ranges := m.Caps, m.Ranges; caps|ranges != 0 {
		to.Caps, to.Ranges = int(min(uint(caps), MaxCaps)), int(min(uint(ranges), MaxRanges))
		copy(to.Cap[:to.Caps], m.Cap[:])
		copy(to.Range[:to.Ranges], m.Range[:])
	}
}

// copyData copies the payload alone: the copy carries nothing.
func (m *Message) copyData(to *Message) {
	n := min(uint(m.Len), MaxData)
	to.Len, to.Caps, to.Ranges = int(n), 0, 0
	copy(to.Data[:n], m.Data[:n])
}
