package linux

import (
	"slices"
	"testing"

	"pdac/kernel/sched"
	"pdac/kernel/space"
)

// question is what an Ask was asked.
type question struct {
	space  uint32
	family Family
	rights Rights
}

// asked records the questions of a test, and answers with answer.
var asked struct {
	questions []question
	answer    int64
}

var askTest Ask = func(_ int, space uint32, family Family, rights Rights) int64 {
	asked.questions = append(asked.questions, question{space, family, rights})
	return asked.answer
}

// who is what a thread runs: words of memory as the runtime keeps them.
type who struct {
	thread []uint64 // g's thread-local slot and what FS points to
	g, m   []uint64
}

// bootAsking is bootFiles with askTest set, the main thread running a goroutine in
// space 7.
func bootAsking(t *testing.T) (*machine, *who) {
	m := bootFiles(t, 1, archiveOf(t, []entryOf{{name: "d/f", data: "file"}, {name: "l", mode: modeLink | 0o777, data: "d/f"}}))
	w := &who{}
	var fs, g, mAt uint64
	w.thread, fs = words(2)
	w.g, g = words(8)
	w.m, mAt = words(8)
	w.thread[0] = g
	w.g[space.Offsets.M/8] = mAt
	w.g[space.Offsets.Space/8] = 7
	sched.Get(mainThread).Ctx.FS = fs + 8
	asked.questions, asked.answer = nil, 0
	SetAsk(&askTest)
	t.Cleanup(func() { SetAsk(nil) })
	return m, w
}

// set makes the thread run a goroutine in that space, the runtime's own g0 or its g
// for signals.
func (w *who) set(s uint32, ownField uintptr) {
	w.g[space.Offsets.Space/8] = uint64(s)
	clear(w.m)
	if ownField != 0 {
		w.m[ownField/8] = w.thread[0]
	}
}

func TestWhatReachesOutsideAsks(t *testing.T) {
	m, w := bootAsking(t)
	file, dir, maps := m.open("d/f"), m.open("d"), m.open("/proc/self/maps")
	buf, n := bytesAt(make([]byte, 512))
	vec, at2 := words(2)
	vec[0], vec[1] = buf, 8
	path := cstring("d/f")
	files := func(r Rights) question { return question{7, FamilyFiles, r} }
	drive := question{7, FamilyMachine, RightDrive}
	refusedBefore := make([]uint64, Calls)
	for i := range refusedBefore {
		refusedBefore[i] = Refused(i)
	}
	calls := make([]uint64, Calls)
	for _, c := range []struct {
		want question
		nr   uint64
		args []uint64
	}{
		{files(RightRead), nrOpen, []uint64{path, oRdonly}},
		{files(RightRead), nrOpenat, []uint64{at, path, oRdonly}},
		{files(RightWrite), nrOpenat, []uint64{at, path, oWronly}},
		{files(RightRead | RightWrite), nrOpenat, []uint64{at, path, oRdwr}},
		{files(RightRead | RightWrite), nrOpenat, []uint64{at, path, oCreat}},
		{files(RightRead | RightWrite), nrOpenat, []uint64{at, path, oTrunc}},
		{files(RightRead), nrOpenat, []uint64{at, cstring("nowhere"), oRdonly}},
		{files(RightRead), nrOpenat, []uint64{at, cstring("/dev/zero"), oRdonly}},
		{files(RightRead), nrStat, []uint64{path, buf}},
		{files(RightRead), nrLstat, []uint64{path, buf}},
		{files(RightRead), nrNewfstatat, []uint64{at, path, buf, 0}},
		{files(RightRead), nrNewfstatat, []uint64{file, cstring(""), buf, atEmptyPath}},
		{files(RightRead), nrFstat, []uint64{file, buf}},
		{files(RightRead), nrFstat, []uint64{dir, buf}},
		{files(RightRead), nrReadlink, []uint64{cstring("l"), buf, n}},
		{files(RightRead), nrReadlinkat, []uint64{at, cstring("l"), buf, n}},
		{files(RightRead), nrAccess, []uint64{path, 0}},
		{files(RightRead), nrFaccessat, []uint64{at, path, rOK}},
		{files(RightRead | RightWrite), nrFaccessat, []uint64{at, path, wOK}},
		{files(RightRead | RightExecute), nrFaccessat2, []uint64{at, path, rOK | xOK, atEaccess}},
		{files(RightRead), nrGetdents64, []uint64{dir, buf, n}},
		{files(RightRead), nrGetcwd, []uint64{buf, n}},
		{files(RightWrite), nrChdir, []uint64{cstring("d")}},
		{files(RightWrite), nrFchdir, []uint64{dir}},
		{files(RightRead), nrRead, []uint64{file, buf, n}},
		{files(RightRead), nrRead, []uint64{maps, buf, n}},
		{files(RightRead), nrReadv, []uint64{file, at2, 1}},
		{files(RightRead), nrPread64, []uint64{file, buf, n, 0}},
		{files(RightRead), nrLseek, []uint64{file, 0, seekEnd}},
		{files(RightRead), nrIoctl, []uint64{file, fionread, buf}},
		{question{7, FamilyConsole, RightRead}, nrRead, []uint64{1, buf, n}},
		{drive, IRQWait, []uint64{40, 0}},
		{drive, MapDevice, []uint64{0xfe000000, 4096}},
		{drive, SetClass, []uint64{0, 0}},
		{drive, Crash, nil},
	} {
		for _, answer := range []int64{eacces, enoent} {
			asked.questions, asked.answer = nil, answer
			m.want(answer, c.nr, c.args...)
			if !slices.Equal(asked.questions, []question{c.want}) {
				t.Errorf("%s%#x asks %v, want %v", Name(c.nr), c.args, asked.questions, c.want)
			}
			calls[slot(c.nr)]++
		}
		w.set(space.None, 0)
		asked.questions, asked.answer = nil, 0
		m.want(eacces, c.nr, c.args...)
		if asked.questions != nil {
			t.Errorf("%s%#x asks for a goroutine without a space", Name(c.nr), c.args)
		}
		calls[slot(c.nr)]++
		w.set(7, 0)
	}
	for i := range calls {
		if got := Refused(i) - refusedBefore[i]; got != calls[i] {
			t.Errorf("call %d %s: %d refusals counted, want %d", i, Name(uint64(i)), got, calls[i])
		}
	}
}

// TestWhatIsInsideAsksNobody makes the calls as a goroutine without a space.
func TestWhatIsInsideAsksNobody(t *testing.T) {
	m, w := bootAsking(t)
	zero := m.open("/dev/zero")
	random := m.open("/dev/urandom")
	asked.questions = nil
	w.set(space.None, 0)
	buf, n := bytesAt(make([]byte, 64))
	ends := make([]uint32, 2)
	m.want(0, nrPipe2, user(&ends[0]), 0)
	r, wr := uint64(ends[0]), uint64(ends[1])
	m.want(int64(n), nrWrite, wr, buf, n)
	m.want(int64(n), nrRead, r, buf, n)
	m.want(0, nrFstat, r, cstring(""))
	event := uint64(m.call(0, nrEventfd2, 1, 0))
	m.want(8, nrRead, event, buf, 8)
	poll := m.call(0, nrEpollCreate1, 0)
	for _, c := range []struct {
		want int64
		nr   uint64
		args []uint64
	}{
		{0, nrEpollCtl, []uint64{uint64(poll), 1, event, buf}},
		{int64(n), nrWrite, []uint64{1, buf, n}},
		{int64(n), nrWrite, []uint64{2, buf, n}},
		{0, nrRead, []uint64{0, buf, n}}, // /dev/null
		{int64(n), nrRead, []uint64{zero, buf, n}},
		{int64(n), nrRead, []uint64{random, buf, n}},
		{0, nrLseek, []uint64{zero, 0, seekEnd}},
		{int64(n), nrGetrandom, []uint64{buf, n, 0}},
		{0, nrClockGettime, []uint64{1, buf}},
		{0, nrFcntl, []uint64{1, fGetfd}},
		{espipe, nrLseek, []uint64{1, 0, seekCur}},
		{erofs, nrUnlink, []uint64{cstring("d/f")}},
		{0, nrClose, []uint64{zero}},
	} {
		m.want(c.want, c.nr, c.args...)
	}
	if asked.questions != nil {
		t.Errorf("asked %v", asked.questions)
	}
}

func TestTheRuntimesOwnCallsDoNotAsk(t *testing.T) {
	m, w := bootAsking(t)
	asked.answer = eacces
	for _, own := range []uintptr{space.Offsets.G0, space.Offsets.Gsignal} {
		w.set(space.None, own)
		m.open("d/f")
	}
	if asked.questions != nil {
		t.Errorf("asked %v", asked.questions)
	}
	w.set(space.None, 0)
	m.want(eacces, nrOpenat, at, cstring("d/f"), oRdonly)
}

// TestCallerThatCannotBeRead: whatever FS and the words behind it are, the call is
// refused, and the kernel stays.
func TestCallerThatCannotBeRead(t *testing.T) {
	m, w := bootAsking(t)
	c := &sched.Get(mainThread).Ctx
	ofG := &w.g[space.Offsets.M/8]
	for _, word := range []*uint64{&c.FS, &w.thread[0], ofG} {
		if word == ofG { // which is looked at where there is no space only
			w.set(space.None, 0)
		}
		good := *word
		for _, bad := range []uint64{0, 8, 4096, badAddress, ^uint64(0)} {
			*word = bad
			m.want(eacces, nrOpenat, at, cstring("d/f"), oRdonly)
		}
		*word = good
	}
	if asked.questions != nil {
		t.Errorf("asked %v", asked.questions)
	}
}

// TestRevokedFileStaysOpen: what is refused is refused through an open descriptor,
// and read on where the refused call did not when it is allowed again.
func TestRevokedFileStaysOpen(t *testing.T) {
	m, _ := bootAsking(t)
	fd := m.open("d/f")
	buf := make([]byte, 2)
	p, n := bytesAt(buf)
	m.want(2, nrRead, fd, p, n)
	asked.answer = eacces
	m.want(eacces, nrRead, fd, p, n)
	m.want(eacces, nrPread64, fd, p, n, 0)
	asked.answer = 0
	if m.want(2, nrRead, fd, p, n); string(buf) != "le" {
		t.Errorf("read %q, want the rest of the file", buf)
	}
}

func TestNobodyToAsk(t *testing.T) {
	m, _ := bootAsking(t)
	SetAsk(nil)
	sched.Get(mainThread).Ctx.FS = badAddress
	m.open("d/f")
}
