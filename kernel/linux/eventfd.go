package linux

import "pdac/kernel/sched"

// eventfd(2): a counter to wait on. The count is in File.word, obj is 1 for a
// semaphore. The queue's lock is held while 8 bytes of user memory are written, so
// that a bad pointer consumes nothing; only users of the same eventfd wait for it.

const (
	efdSemaphore = 1
	eventfdMax   = 1<<64 - 2 // the highest count
)

func sysEventfd2(cpu int, initial, flags uint64) int64 {
	if flags&^(efdSemaphore|oCloexec|oNonblock) != 0 {
		return einval
	}
	n := newFile(cpu, kindEventfd, oRdwr|uint32(flags&oNonblock), uint32(flags&efdSemaphore))
	if n == 0 {
		return enfile
	}
	files[n].word.Store(uint64(uint32(initial)))
	fd := install(cpu, n, 0, flags)
	if fd < 0 {
		putFile(cpu, n)
	}
	return fd
}

// readEventfd takes the whole count, or 1 of a semaphore's, to user memory at p.
func readEventfd(cpu int, t sched.ID, c *sched.Context, f *File, p, n uint64, wait bool) int64 {
	if n < 8 {
		return einval
	}
	f.q.lock(cpu)
	count := f.word.Load()
	if count == 0 {
		if wait {
			return sleep(cpu, t, c, &f.q, waitIn, 0, again)
		}
		f.q.unlock()
		return eagain
	}
	take := count
	if f.obj == efdSemaphore {
		take = 1
	}
	r := int64(8)
	if store64(p, take) {
		f.word.Store(count - take)
		if count > take {
			wakeOne(cpu, &f.q, waitIn, 0)
		}
		wakeAll(cpu, &f.q, waitOut, 0)
		notify(cpu, f, epollOut)
	} else {
		r = efault
	}
	f.q.unlock()
	return r
}

// writeEventfd adds the 8 bytes at p to the count.
func writeEventfd(cpu int, t sched.ID, c *sched.Context, f *File, p, n uint64, wait bool) int64 {
	if n < 8 {
		return einval
	}
	add, ok := load64(p)
	if !ok {
		return efault
	}
	if add > eventfdMax {
		return einval
	}
	f.q.lock(cpu)
	count := f.word.Load()
	if add > eventfdMax-count {
		if wait {
			return sleep(cpu, t, c, &f.q, waitOut, 0, again)
		}
		f.q.unlock()
		return eagain
	}
	f.word.Store(count + add)
	if count+add != 0 {
		wakeOne(cpu, &f.q, waitIn, 0)
		notify(cpu, f, epollIn)
	}
	f.q.unlock()
	return 8
}
