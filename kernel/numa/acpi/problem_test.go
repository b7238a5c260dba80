package acpi

import (
	"strings"
	"testing"
)

func TestProblemMessages(t *testing.T) {
	var b [4 * MaxMessage]byte
	for code := range Code(len(messages)) {
		m := messages[code]
		if m == "" {
			t.Errorf("code %d has no message", code)
			continue
		}
		if n := strings.Count(m, "%") - strings.Count(m, "%o"); n > len(Problem{}.Values) {
			t.Errorf("message %q takes %d values", m, n)
		}
		if !strings.Contains(m, ": ") {
			t.Errorf("message %q does not say what was done", m)
		}
		p := Problem{Table: sigSRAT, Code: code, Offset: 1<<32 - 1, Values: [3]uint64{1<<64 - 1, 1<<64 - 1, 1<<64 - 1}}
		if n := p.Format(b[:]); n > MaxMessage {
			t.Errorf("message of code %d has %d bytes, over %d", code, n, MaxMessage)
		}
		if s := p.String(); strings.Contains(s, "%") || !strings.HasPrefix(s, "SRAT: ") {
			t.Errorf("code %d: %q", code, s)
		}
	}
}

func TestProblemFormat(t *testing.T) {
	for _, c := range []struct {
		p    Problem
		want string
	}{
		{Problem{sigSRAT, EntryLength, 0x30, [3]uint64{0, 2}}, "SRAT: entry at 0x30 has length 0, expected 2 or more: rest of the table ignored"},
		{Problem{sigMADT, TableSignature, 0, [3]uint64{sigSRAT.pack(), sigMADT.pack()}}, "APIC: signature is SRAT, expected APIC: table left out"},
		{Problem{Signature{'\n', 'A', 0, 0xff}, TableNull, 0, [3]uint64{}}, "?A??: entry at 0x0 is a null pointer, expected a table: entry ignored"},
		{Problem{sigFADT, 255, 0, [3]uint64{}}, "FACP: problem 255"},
	} {
		if got := c.p.String(); got != c.want {
			t.Errorf("got %q, expected %q", got, c.want)
		}
		var short [10]byte
		if n := c.p.Format(short[:]); n != 10 || string(short[:]) != c.want[:10] {
			t.Errorf("in 10 bytes: %q", short[:n])
		}
	}
}

func TestReportFull(t *testing.T) {
	var r Report
	for i := range MaxProblems + 3 {
		r.Add(sigMADT, TableNull, i)
	}
	if r.N != MaxProblems || r.Lost != 3 || r.Problems[MaxProblems-1].Offset != MaxProblems-1 {
		t.Errorf("N %d, lost %d, last %v", r.N, r.Lost, r.Problems[MaxProblems-1])
	}
}
