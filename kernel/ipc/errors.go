package ipc

import "strconv"

// Error is one of this package's named errors.
type Error uint8

const (
	_ Error = iota

	// The endpoint's.
	ErrDead       // the endpoint was killed
	ErrWouldBlock // not without waiting: calls in progress count as if they had come first
	ErrCrowded    // as many calls as there are places for wait already
	ErrFull       // no number is free for another endpoint

	// The caller's.
	ErrNoCall       // there is no such call: answered, given up, or never made
	ErrTooLong      // the payload is longer than MaxData
	ErrTooManyCaps  // more than MaxCaps capabilities
	ErrTooManyPages // more than MaxRanges ranges of pages
	ErrTwice        // a capability is transferred and named again, or ranges overlap
	ErrMode         // a capability is neither derived nor transferred
	ErrRange        // a range of pages is empty, unaligned, or wraps
	ErrNotCarried   // this table of endpoints carries no capabilities, or no pages
	ErrArgument     // a size is out of its bounds
)

var errorTexts = [...]string{
	ErrDead:         "endpoint is dead",
	ErrWouldBlock:   "would block",
	ErrCrowded:      "too many calls wait at the endpoint",
	ErrFull:         "too many endpoints",
	ErrNoCall:       "no such call to reply to",
	ErrTooLong:      "payload too long",
	ErrTooManyCaps:  "too many capabilities in a message",
	ErrTooManyPages: "too many ranges of pages in a message",
	ErrTwice:        "named twice in a message",
	ErrMode:         "neither derived nor transferred",
	ErrRange:        "bad range of pages",
	ErrNotCarried:   "not carried here",
	ErrArgument:     "size out of bounds",
}

func (e Error) Error() string {
	if int(e) < len(errorTexts) && errorTexts[e] != "" {
		return "ipc: " + errorTexts[e]
	}
	return "ipc: error " + strconv.Itoa(int(e))
}

// ItemError says which capability or range of a message could not go, and why. No other went, but
// see Message for what a race can leave behind.
type ItemError struct {
	Pages bool // else a capability
	Index int
	Err   error
}

func (e *ItemError) Error() string {
	kind := "capability "
	if e.Pages {
		kind = "range of pages "
	}
	return "ipc: " + kind + strconv.Itoa(e.Index) + ": " + e.Err.Error()
}

func (e *ItemError) Unwrap() error { return e.Err }
