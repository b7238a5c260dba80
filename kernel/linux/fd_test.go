package linux

import (
	"math/rand/v2"
	"sync"
	"testing"
)

func TestDescriptorsFirstThree(t *testing.T) {
	m := bootFiles(t, 1, nil)
	b := make([]byte, 8)
	p, n := bytesAt(b)
	m.want(0, nrRead, 0, p, n)
	m.want(ebadf, nrWrite, 0, p, n)
	m.want(0, nrRead, 1, p, n)
	m.want(8, nrWrite, 2, p, n)
	m.want(ebadf, nrRead, 3, p, n)
	m.want(ebadf, nrClose, 3)
	m.want(ebadf, nrClose, 1<<32-1)
}

// TestDescriptorsLowestFree compares the numbers with a model over random opens,
// closes and duplicates up to the limit.
func TestDescriptorsLowestFree(t *testing.T) {
	m := bootFiles(t, 1, nil)
	limit := len(fds)
	used := make([]bool, limit)
	used[0], used[1], used[2] = true, true, true
	open := 3
	lowest := func(from int) int64 {
		for i := from; i < limit; i++ {
			if !used[i] {
				return int64(i)
			}
		}
		return emfile
	}
	take := func(want, got int64) {
		t.Helper()
		if got != want {
			t.Fatalf("descriptor %d, want %d", got, want)
		}
		if got >= 0 && !used[got] {
			used[got] = true
			open++
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	null := cstring("/dev/null")
	for round := range 40_000 {
		fd := rnd.IntN(limit)
		growing := round/9000%2 == 0
		switch op := rnd.IntN(8); {
		case op == 0:
			from := rnd.IntN(limit)
			take(lowest(from), m.call(0, nrFcntl, 1, fDupfdCloexec, uint64(from)))
		case op == 1:
			take(int64(fd), m.call(0, nrDup2, 1, uint64(fd)))
		case op == 2 || op > 4 && growing:
			take(lowest(0), m.call(0, nrOpenat, at, null, 0))
		case op > 2 && !growing || op == 3:
			want := ebadf
			if fd > 2 && used[fd] {
				want, used[fd] = 0, false
				open--
			} else if fd <= 2 {
				continue
			}
			m.want(want, nrClose, uint64(fd))
		}
	}
	for open < limit {
		take(lowest(0), m.call(0, nrDup, 1))
	}
	m.want(emfile, nrDup, 1)
	m.want(emfile, nrOpenat, at, null, 0)
	m.want(einval, nrFcntl, 1, fDupfd, uint64(limit))
}

func TestDup(t *testing.T) {
	m := bootFiles(t, 1, archiveOf(t, []entryOf{{name: "f", data: "0123456789"}}))
	fd := m.open("/f")
	b := make([]byte, 4)
	p, n := bytesAt(b)
	m.want(4, nrRead, fd, p, n)
	m.want(9, nrDup3, fd, 9, oCloexec)
	m.want(4, nrRead, 9, p, n)
	if string(b) != "4567" {
		t.Errorf("the duplicate reads %q: the position is not shared", b)
	}
	m.want(1, nrFcntl, 9, fGetfd)
	m.want(0, nrFcntl, 9, fSetfd, 0)
	m.want(0, nrFcntl, 9, fGetfd)
	m.want(0, nrClose, fd)
	m.want(2, nrRead, 9, p, n)
	m.want(einval, nrDup3, 9, 9, 0)
	m.want(9, nrDup2, 9, 9)
	m.want(ebadf, nrDup2, fd, fd)
	m.want(ebadf, nrDup2, 9, uint64(len(fds)))
	m.want(einval, nrDup3, 9, 10, oNonblock)
	m.want(0, nrDup2, 9, 0) // replaces an open one
	m.want(0, nrRead, 0, p, n)
	m.want(0, nrFcntl, 1, fSetfl, oNonblock|oWronly) // the access mode stays
	m.want(oRdwr|oNonblock, nrFcntl, 2, fGetfl)
	m.want(einval, nrFcntl, 1, 999)
	m.want(ebadf, nrFcntl, 77, fGetfl)
}

// TestDescriptorsTorture lets CPUs open, read, replace and close the same few
// descriptors. A file whose record was recycled under a reader would show another
// content than its name.
func TestDescriptorsTorture(t *testing.T) {
	const cpus = 4
	paths := [2]uint64{cstring("/a"), cstring("/b")}
	bootFiles(t, cpus, archiveOf(t, []entryOf{{name: "a", data: "aaaaaaaa"}, {name: "b", data: "bbbbbbbb"}}))
	var wg sync.WaitGroup
	for cpu := range cpus {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(cpu), 7))
			buf := make([]byte, 8)
			p, n := bytesAt(buf)
			for range 8000 {
				fd := uint64(3 + rnd.IntN(6))
				switch rnd.IntN(4) {
				case 0:
					if r := sysOpenat(cpu, at, paths[rnd.IntN(2)], 0); r < 0 {
						t.Errorf("open: %d", r)
					} else if r > 8 {
						sysClose(cpu, uint64(r))
					}
				case 1:
					sysClose(cpu, fd)
				case 2:
					dupTo(cpu, fd, uint64(3+rnd.IntN(6)), 0)
				default:
					num, f := fileAt(cpu, fd)
					if num == 0 {
						continue
					}
					before := f.obj
					if r := f.readAt(p, n, 0); r != 8 || (buf[0] != 'a' && buf[0] != 'b') || f.obj != before || f.refs.Load() == 0 {
						t.Errorf("read %d %q", r, buf)
					}
					putFile(cpu, num)
				}
			}
		})
	}
	wg.Wait()
}
