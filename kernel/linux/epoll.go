package linux

import (
	"unsafe"

	"pdac/kernel/lockfree"
)

// epoll(7). An item says that an epoll watches a file under a descriptor number. It
// is on up to four lists: of its hash bucket, of its epoll, of its file, and, when
// something happened, the ready list of its epoll. An event costs a walk over the
// items of the file it happened to, whatever else is open.
//
// Locks, in this order: epollLock (who watches what: the hash, the epolls' lists,
// free items; held by epoll_ctl and by the close of a watched file for O(1) per
// item), File.watchers (the file's list), File.q.lock of the epoll (the ready list,
// events and data of its items, sleepers). An event comes with the lock of its
// pipe or eventfd, which precedes watchers; so readiness is told by File.events,
// which reads atomics and takes no lock. An item leaves all lists before it is freed,
// and a file's items leave before the file is freed: a list never leads to a freed
// record.
//
// User memory is written with the lock of an epoll, pipe or eventfd held, so who
// spins on any lock above it acknowledges TLB shootdowns meanwhile (wait.go).
//
// No event is lost: what happens to a file first changes its state, then calls
// notify. epoll_ctl first links the item, then looks at the state: one of the two
// sees the other. A wait takes an item off the ready list before it looks at the
// state, under the lock that notify needs to put it back.
//
// An epoll cannot watch an epoll (EINVAL).

// Events and flags.
const (
	epollIn        = 0x001
	epollPri       = 0x002
	epollOut       = 0x004
	epollErr       = 0x008
	epollHup       = 0x010
	epollRdNorm    = 0x040
	epollWrNorm    = 0x100
	epollRdHup     = 0x2000
	epollExclusive = 1 << 28 // all waits are: an event wakes one waiter
	epollWakeup    = 1 << 29
	epollOneshot   = 1 << 30
	epollEdge      = 1 << 31

	epollFlags = epollExclusive | epollWakeup | epollOneshot | epollEdge
)

// The lists of an item.
const (
	inEpoll = iota
	inFile
	inReady
	inLists
)

// Item is one descriptor that an epoll watches.
type Item struct {
	file, epoll, fd uint32 // under epollLock; fixed while the item is on a list
	chain           uint32 // of the hash bucket; under epollLock
	link            [inLists]struct{ next, prev uint32 }
	events          uint32 // that are asked for, and flags; under the epoll's q.lock like the rest
	queued          bool   // on the ready list
	data            uint64
}

var (
	epollLock lockfree.SpinLock
	items     []Item
	itemPool  pool
	itemHash  []uint32 // heads of the chains
)

func initEpoll(c *Files) {
	items, itemHash = c.Items, c.ItemBuckets
	var buckets extent
	itemPool.init(unsafe.Pointer(unsafe.SliceData(items)), unsafe.Sizeof(Item{}), len(items), c.ItemsNext)
	buckets.init(unsafe.Pointer(unsafe.SliceData(itemHash)), unsafe.Sizeof(itemHash[0]), len(itemHash))
	if !buckets.grow(0, uint32(len(itemHash))) {
		panic("linux: no memory for epoll")
	}
}

// list is a circular list of items by number, with its oldest at the head.
type list uint32

func (l *list) add(which int, n uint32) {
	it := &items[n]
	if *l == 0 {
		it.link[which].next, it.link[which].prev = n, n
		*l = list(n)
		return
	}
	head := &items[*l].link[which]
	it.link[which].next, it.link[which].prev = uint32(*l), head.prev
	items[head.prev].link[which].next = n
	head.prev = n
}

func (l *list) remove(which int, n uint32) {
	k := items[n].link[which]
	if k.next == n {
		*l = 0
		return
	}
	items[k.next].link[which].prev = k.prev
	items[k.prev].link[which].next = k.next
	if *l == list(n) {
		*l = list(k.next)
	}
}

func sysEpollCreate1(cpu int, flags uint64) int64 {
	if flags&^oCloexec != 0 {
		return einval
	}
	return openFD(cpu, kindEpoll, oRdwr, 0, flags)
}

// Operations of epoll_ctl(2).
const (
	epollAdd = 1
	epollDel = 2
	epollMod = 3
)

func sysEpollCtl(cpu int, epfd, op, fd, event uint64) int64 {
	var ev [3]uint32 // struct epoll_event is packed: events, low and high half of data
	if op != epollDel && !copyIn(unsafe.Pointer(&ev), event, 12) {
		return efault
	}
	en, ep := fileAt(cpu, epfd)
	if en == 0 {
		return ebadf
	}
	n, f := fileAt(cpu, fd)
	if n == 0 {
		putFile(cpu, en)
		return ebadf
	}
	r := einval
	switch {
	case !f.pollable():
		r = eperm
	case ep.kind == kindEpoll && f.kind != kindEpoll:
		r = control(cpu, en, n, uint32(fd), op, ev[0], uint64(ev[1])|uint64(ev[2])<<32)
	}
	putFile(cpu, n)
	putFile(cpu, en)
	return r
}

// control changes what epoll en wants to know of file n under descriptor fd. The
// caller holds references to both files.
func control(cpu int, en, n, fd uint32, op uint64, events uint32, data uint64) (errno int64) {
	spinOn(cpu, &epollLock)
	i := findItem(en, n, fd)
	switch {
	case op == epollAdd && i != 0:
		errno = eexist
	case op == epollAdd:
		if i = addItem(cpu, en, n, fd); i == 0 {
			errno = enospc
		}
	case op != epollMod && op != epollDel:
		errno = einval
	case i == 0:
		errno = enoent
	case op == epollDel:
		removeItem(cpu, i)
	}
	if errno == 0 && op != epollDel {
		it, ep, f := &items[i], &files[en], &files[n]
		ep.q.lock(cpu)
		it.events, it.data = events|epollErr|epollHup, data
		if f.events()&it.events != 0 {
			ep.enqueue(cpu, i)
		}
		ep.q.unlock()
	}
	epollLock.Unlock()
	return errno
}

func itemBucket(en, n, fd uint32) *uint32 {
	h := (en*0x9e3779b1 ^ n) * 0x85ebca6b
	h = (h ^ h>>15 ^ fd) * 0xc2b2ae35
	return &itemHash[(h^h>>16)&uint32(len(itemHash)-1)]
}

func findItem(en, n, fd uint32) uint32 {
	i := *itemBucket(en, n, fd)
	for i != 0 && (items[i].epoll != en || items[i].file != n || items[i].fd != fd) {
		i = items[i].chain
	}
	return i
}

// addItem links a new item that asks for nothing yet; 0: there is no room.
// Preconditions: epollLock is held.
func addItem(cpu int, en, n, fd uint32) uint32 {
	i := itemPool.get(cpu)
	if i == 0 {
		return 0
	}
	b := itemBucket(en, n, fd)
	items[i] = Item{file: n, epoll: en, fd: fd, chain: *b}
	*b = i
	files[en].members.add(inEpoll, i)
	f := &files[n]
	spinOn(cpu, &f.watchers)
	f.items.add(inFile, i)
	f.watchers.Unlock()
	return i
}

// removeItem takes an item off all lists and frees it. Preconditions: epollLock is
// held.
func removeItem(cpu int, i uint32) {
	it := &items[i]
	b := itemBucket(it.epoll, it.file, it.fd)
	for *b != i {
		b = &items[*b].chain
	}
	*b = it.chain
	f, ep := &files[it.file], &files[it.epoll]
	spinOn(cpu, &f.watchers)
	f.items.remove(inFile, i) // from here notify does not find it
	f.watchers.Unlock()
	ep.members.remove(inEpoll, i)
	ep.q.lock(cpu)
	if it.queued {
		ep.dequeue(i)
	}
	ep.q.unlock()
	itemPool.put(i)
}

// enqueue puts item i on the ready list and wakes a waiter. Preconditions: ep.q is
// locked.
func (ep *File) enqueue(cpu int, i uint32) {
	if !items[i].queued {
		items[i].queued = true
		ep.ready.add(inReady, i)
		ep.nready++
	}
	wakeOne(cpu, &ep.q, waitIn, 0)
}

// dequeue takes item i off the ready list. Preconditions: ep.q is locked.
func (ep *File) dequeue(i uint32) {
	items[i].queued = false
	ep.ready.remove(inReady, i)
	ep.nready--
}

// notify tells the epolls that watch f that one of events may have come about.
// Preconditions: f is not freed meanwhile; the state that f.events reads has
// changed already.
func notify(cpu int, f *File, events uint32) {
	spinOn(cpu, &f.watchers)
	for i := uint32(f.items); i != 0; {
		it := &items[i]
		ep := &files[it.epoll]
		ep.q.lock(cpu)
		if it.events&events != 0 {
			ep.enqueue(cpu, i)
		}
		ep.q.unlock()
		if i = it.link[inFile].next; i == uint32(f.items) {
			break
		}
	}
	f.watchers.Unlock()
}

// unwatch ends every watch on a file that is being freed.
func unwatch(cpu int, f *File) {
	spinOn(cpu, &f.watchers)
	watched := f.items != 0 // nobody can add an item any more
	f.watchers.Unlock()
	if !watched {
		return
	}
	spinOn(cpu, &epollLock)
	for f.items != 0 {
		removeItem(cpu, uint32(f.items))
	}
	epollLock.Unlock()
}

// closeEpoll ends every watch of an epoll that is being freed.
func closeEpoll(cpu int, ep *File) {
	for {
		spinOn(cpu, &epollLock) // anew for each item: others may have some too
		i := uint32(ep.members)
		if i != 0 {
			removeItem(cpu, i)
		}
		epollLock.Unlock()
		if i == 0 {
			return
		}
	}
}

func (f *File) pollable() bool { return f.kind >= kindPipeReader }

// events is what f is ready for now.
func (f *File) events() (ev uint32) {
	switch f.kind {
	case kindEventfd:
		count := f.word.Load()
		if count != 0 {
			ev = epollIn | epollRdNorm
		}
		if count < eventfdMax {
			ev |= epollOut | epollWrNorm
		}
	case kindPipeReader:
		p := &pipes[f.obj]
		if p.count.Load() != 0 {
			ev = epollIn | epollRdNorm
		}
		if p.writer.Load() == 0 {
			ev |= epollHup
		}
	case kindPipeWriter:
		p := &pipes[f.obj]
		if p.count.Load() <= PipeSize-PipeBuf {
			ev = epollOut | epollWrNorm
		}
		if p.reader.Load() == 0 {
			ev |= epollErr
		}
	}
	return ev
}
