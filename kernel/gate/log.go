package gate

import (
	"pdac/kernel/klog"
	"pdac/kernel/space"
)

// The kernel's log.

// What programs need of package klog.
type (
	Level    = klog.Level
	LogEntry = klog.Entry
)

// Levels of the log.
const (
	LevelError = klog.Error
	LevelWarn  = klog.Warn
	LevelInfo  = klog.Info
	LevelDebug = klog.Debug
)

// LogAppend writes a record, which names the caller's space. What is longer than 232 bytes is cut.
// id has Write.
//
// Errors: of id; *ArgumentError.
func LogAppend(id ID, l Level, text string) error {
	if l > LevelDebug {
		return logAppend.bad("l", "a level from LevelError to LevelDebug")
	}
	t, _, err := enter(logAppend, id)
	if err != nil {
		return err
	}
	defer t.Release()
	klog.New(l).Str("space ").Dec(uint64(space.Get())).Str(": ").Str(text).End()
	return nil
}

// LogRead reads the first record whose number is at least from into e, and returns how many before
// it were lost. The next call asks for e.Seq+1. id has Read.
//
// Errors: of id; *ArgumentError; ErrWouldBlock: there is none yet, and the next call asks for from+lost.
func LogRead(id ID, from uint64, e *LogEntry) (lost uint64, err error) {
	if e == nil {
		return 0, logRead.bad("e", "an entry")
	}
	t, _, err := enter(logRead, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	lost, ok := klog.Read(from, e)
	if !ok {
		return lost, logRead.fail(ErrWouldBlock)
	}
	return lost, nil
}
