package klog

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fresh gives the test an empty log and a serial line to look at.
func fresh(t *testing.T) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	log.head.Store(0)
	for i := range log.slots {
		log.slots[i].state.Store(0)
	}
	sent.Store(0)
	owner.Store(idle)
	SetLevel(Info)
	Now, CPU = nil, nil
	Out = func(c byte) { b.WriteByte(c) }
	t.Cleanup(func() { Out, Now, CPU = nil, nil, nil })
	return &b
}

func texts() (s []string, lost uint64) {
	var e Entry
	for at := uint64(0); ; at = e.Seq + 1 {
		n, ok := Read(at, &e)
		lost += n
		if !ok {
			return s, lost
		}
		s = append(s, string(e.Text()))
	}
}

func TestRecordPieces(t *testing.T) {
	out := fresh(t)
	Now, CPU = func() uint64 { return 12_345_678_901 }, func() int { return 3 }
	New(Warn).Str("a ").Dec(0).Str(" ").Dec(1<<64 - 1).Int(-1 << 63).Int(5).Str(" ").Hex(0).Hex(0xfee00000).Chars([]byte("x\ny\x00")).End()
	want := "[   12.345678] 3 warn  a 0 18446744073709551615-92233720368547758085 0x00xfee00000x?y?\r\n"
	if out.String() != want {
		t.Errorf("line %q, want %q", out, want)
	}
}

func TestRecordTooLongIsCut(t *testing.T) {
	fresh(t)
	New(Error).Str(strings.Repeat("x", MaxText)).End()
	New(Error).Str(strings.Repeat("y", MaxText)).Str("!").Dec(7).End()
	got, _ := texts()
	want := []string{strings.Repeat("x", MaxText), strings.Repeat("y", MaxText-3) + "..."}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q", got)
	}
}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		level      Level
		line, ring string
	}{{Error, "e", "[e w i]"}, {Warn, "ew", "[e w i]"}, {Info, "ewi", "[e w i]"}, {Debug, "ewid", "[e w i d]"}} {
		out := fresh(t)
		SetLevel(c.level)
		New(Error).Str("e").End()
		New(Warn).Str("w").End()
		New(Info).Str("i").End()
		New(Debug).Str("d").End()
		if got, _ := texts(); fmt.Sprint(got) != c.ring {
			t.Errorf("%v: ring %v, want %v", c.level, got, c.ring)
		}
		var line string
		for l := range strings.Lines(out.String()) {
			line += l[len("[    0.000000] 0 error "):][:1]
		}
		if line != c.line {
			t.Errorf("%v: line %q, want %q", c.level, line, c.line)
		}
		if l, ok := ParseLevel(c.level.String()); !ok || l != c.level {
			t.Errorf("ParseLevel(%v) = %v, %v", c.level, l, ok)
		}
	}
	if _, ok := ParseLevel("loud"); ok {
		t.Error("ParseLevel took nonsense")
	}
}

func TestReadLappedReaderIsTold(t *testing.T) {
	fresh(t)
	for i := range uint64(Slots + 10) {
		New(Info).Dec(i).End()
	}
	var e Entry
	if lost, ok := Read(4, &e); !ok || lost != 6 || e.Seq != 10 || string(e.Text()) != "10" {
		t.Errorf("lost %d, %v, record %d %q", lost, ok, e.Seq, e.Text())
	}
	if lost, ok := Read(Head(), &e); ok || lost != 0 {
		t.Errorf("past the end: lost %d, %v", lost, ok)
	}
}

func TestWriteGivesUpOnOccupiedSlot(t *testing.T) {
	out := fresh(t)
	log.slots[1].state.Store(1 + 2*1) // ticket 1's writer stopped in the middle
	New(Info).Str("0").End()
	log.head.Add(1)
	for i := range uint64(Slots + 1) {
		New(Info).Dec(i + 2).End()
	}
	// Lost: the first two, overwritten, and the one that met the writer; 0 was overwritten by Slots, 1 by the hole.
	got, lost := texts()
	if len(got) != Slots-1 || lost != 4 {
		t.Errorf("%d records, %d lost", len(got), lost)
	}
	// On the line all of them, but the last, which waits behind the hole that the one before it left.
	if s := out.String(); strings.Count(s, "1 records lost") != 1 || strings.Count(s, "info") != Slots {
		t.Errorf("the line must neither stop at the hole nor hide it:\n%s", s)
	}
}

func TestEndAllocatesNothing(t *testing.T) {
	fresh(t)
	Out = func(byte) {}
	if n := testing.AllocsPerRun(100, func() { New(Info).Str("n ").Dec(1).Hex(2).End() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSeizeTakesTheLine(t *testing.T) {
	out := fresh(t)
	New(Info).Str("first").End()
	owner.Store(busy) // a sender that was descheduled
	New(Info).Str("second").End()
	if strings.Contains(out.String(), "second") {
		t.Fatal("two senders at once")
	}
	if !Seize() || Seize() {
		t.Error("the first Seize must succeed, the second must not")
	}
	New(Info).Str("third").End()
	if s := out.String(); !strings.HasSuffix(s, "second\r\n") || strings.Contains(s, "third") {
		t.Errorf("line %q", s)
	}
}

// TestTorture lets writers, who are preempted where it pleases the scheduler, and readers at the ring. Each record's text says
// twice who wrote it: a torn one would contradict itself.
func TestTorture(t *testing.T) {
	fresh(t)
	var line bytes.Buffer
	var inside atomic.Int32
	Out = func(c byte) {
		if inside.Add(1) != 1 {
			t.Error("two senders at once")
		}
		line.WriteByte(c)
		inside.Add(-1)
	}
	const writers, each = 6, 3000
	var w, r sync.WaitGroup
	for i := range uint64(writers) {
		w.Go(func() {
			for j := range uint64(each) {
				New(Info).Dec(i).Str(":").Dec(j).Str(strings.Repeat("=", 1+int(j%60))).Dec(i).Str(":").Dec(j).End()
			}
		})
	}
	var stop atomic.Bool
	for range 2 {
		r.Go(func() {
			var at, seen uint64
			for end := false; !end; {
				end = stop.Load()
				var e Entry
				for {
					lost, ok := Read(at, &e)
					at += lost
					if !ok {
						break
					}
					if e.Seq != at {
						t.Errorf("record %d where %d was due", e.Seq, at)
					}
					if a, b, ok := halves(string(e.Text())); !ok || a != b {
						t.Errorf("torn record %q", e.Text())
					}
					at++
					seen++
				}
			}
			if at != Head() || seen == 0 {
				t.Errorf("the reader ended at %d of %d with %d records", at, Head(), seen)
			}
		})
	}
	w.Wait()
	stop.Store(true)
	r.Wait()
	if Head() != writers*each {
		t.Fatalf("%d records", Head())
	}
	for range Slots/turnRecords + 1 {
		Flush() // what full turns have left
	}
	lines, lost := 0, 0
	for l := range strings.Lines(line.String()) {
		l = strings.TrimSuffix(l, "\r\n")
		var n int
		if _, err := fmt.Sscanf(l[len("[    0.000000] 0 warn  "):], "klog: %d records lost", &n); err == nil {
			lost += n
			continue
		}
		if a, b, ok := halves(l[len("[    0.000000] 0 info  "):]); !ok || a != b {
			t.Fatalf("torn line %q", l)
		}
		lines++
	}
	// All is sent, unless the last half lap has a hole that nobody came to give up.
	if lines+lost != int(sent.Load()) || sent.Load() < writers*each-Slots/2 {
		t.Errorf("%d lines and %d lost make up for %d sent of %d", lines, lost, sent.Load(), Head())
	}
}

func halves(s string) (a, b string, ok bool) {
	a, b, ok = strings.Cut(s, "=")
	return a, strings.TrimLeft(b, "="), ok
}

func BenchmarkEnd(b *testing.B) {
	Out = nil
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			New(Info).Str("bench ").Dec(1).End()
		}
	})
}

func BenchmarkFiltered(b *testing.B) {
	SetLevel(Info)
	for range b.N {
		New(Debug).Str("bench ").Dec(1).End()
	}
}
