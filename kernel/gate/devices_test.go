package gate

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTimer(t *testing.T) {
	b := openGate(t)
	timer := must(TimerCreate(b.root.Clock, must(TimeNow(b.root.Clock)), time.Millisecond))
	for range 3 {
		if n := must(TimerWait(timer)); n < 1 {
			t.Fatal(n)
		}
	}
	once := must(TimerCreate(b.root.Clock, 0, 0))
	if n := must(TimerWait(once)); n != 1 {
		t.Fatal(n)
	}
	want(t, just(TimerWait(once)), ErrStopped)
	never := must(TimerCreate(b.root.Clock, 1<<62, 0))
	before := admitted(timerWait)
	errs := blocked(t, never, func() error { return just(TimerWait(never)) }, 10)
	until(t, "waiters", func() bool { return admitted(timerWait) == before+10 })
	ok(t, TimerStop(never))
	ok(t, TimerStop(never))
	for range 10 {
		want(t, <-errs, ErrStopped)
	}
	at := must(TimeNow(b.root.Clock)) + 2*time.Millisecond
	ok(t, TimeSleepUntil(b.root.Clock, at))
	if now := must(TimeNow(b.root.Clock)); now < at {
		t.Errorf("woke at %v, want %v", now, at)
	}
	quiet(t)
}

func TestConsole(t *testing.T) {
	b := openGate(t)
	must(ConsoleWrite(b.root.Console, []byte("text")))
	if b.out.String() != "text" {
		t.Errorf("%q", &b.out)
	}
	go b.keys.Write([]byte("typed"))
	var got []byte
	for len(got) < 5 {
		p := make([]byte, 2)
		got = append(got, p[:must(ConsoleRead(b.root.Console, p))]...)
	}
	if string(got) != "typed" {
		t.Errorf("%q", got)
	}
	core.console = newLine(&b.out, nil)
	want(t, just(ConsoleRead(b.root.Console, got)), ErrTaken)
}

func TestLogAndStatsAndPower(t *testing.T) {
	b := openGate(t)
	ok(t, LogAppend(b.root.Log, LevelInfo, "a record\nof two lines"))
	var e LogEntry
	found := false
	for from := uint64(0); ; from = e.Seq + 1 {
		if _, err := LogRead(b.root.Log, from, &e); errors.Is(err, ErrWouldBlock) {
			break
		}
		found = found || string(e.Text()) == "space 1: a record?of two lines"
	}
	if !found {
		t.Error("the record isn't there")
	}
	if s := must(StatsRead(b.root.Stats)); len(s.Calls) < 2 || s.Calls[0].Name != "log.append" || s.Calls[0].Calls != 1 {
		t.Errorf("%+v", s.Calls)
	}
	if i := must(TaskInfo(b.root.Task)); i != (Task{Space: 1, ID: 7, CPU: 3}) {
		t.Errorf("%+v", i)
	}
	ok(t, TaskYield(b.root.Task))
	ok(t, PowerReboot(b.root.Power))
	ok(t, PowerOff(b.root.Power, 3))
	if b.off != 3 || b.boots != 1 {
		t.Errorf("power off with %d, %d boots", b.off, b.boots)
	}
	if err := PowerOff(b.root.Power, 256); err == nil || !strings.Contains(err.Error(), "0 to 255") {
		t.Errorf("%v", err)
	}
}
