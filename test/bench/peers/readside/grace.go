package readside

// Grace names a way of waiting for readers, and sets it up for two threads of which one is idle:
// known as a reader, but in no section.
type Grace struct {
	Name string
	// New returns a loop of n waits for the calling thread, and what ends the idle one.
	New func() (wait func(n int), end func())
}
