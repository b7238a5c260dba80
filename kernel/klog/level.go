package klog

import "sync/atomic"

// Level is the severity of a record. Smaller is more severe.
type Level uint8

const (
	Error Level = iota // something is broken
	Warn               // something is wrong, and the kernel goes on
	Info               // what an operator wants to see once
	Debug              // what a developer wants to see; not even kept unless asked for
)

// threshold is the log level: set by SetLevel, read by everyone.
var threshold = uint32(Info)

// SetLevel makes records at level l and more severe ones go to the serial line. The ring keeps these and, whatever l is,
// everything up to Info.
func SetLevel(l Level) { atomic.StoreUint32(&threshold, uint32(l)) }

// Threshold returns the log level.
func Threshold() Level { return Level(atomic.LoadUint32(&threshold)) }

// String returns the level's name as loglevel= takes it.
func (l Level) String() string {
	switch l {
	case Error:
		return "error"
	case Warn:
		return "warn"
	case Info:
		return "info"
	}
	return "debug"
}

// ParseLevel returns the level called s, and false if there is none.
func ParseLevel(s string) (Level, bool) {
	for l := Error; l <= Debug; l++ {
		if s == l.String() {
			return l, true
		}
	}
	return 0, false
}
