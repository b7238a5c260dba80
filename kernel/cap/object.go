package cap

import (
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// Object names what a capability is for: 63..48 type | 47..0 reference.
type Object uint64

// Type is a type of objects. 0 is none.
type Type uint16

const (
	refBits    = 48
	registered = 1 << (refBits - 1) // the reference is one of Register's
)

// MakeObject names an object of a type. ref is below 2^47, and means what the type says; it holds
// no Go pointer. For objects that are Go values there is Register.
func MakeObject(typ Type, ref uint64) Object {
	return Object(uint64(typ)<<refBits | ref&(registered-1))
}

// Type returns the object's type.
func (o Object) Type() Type { return Type(o >> refBits) }

// Ref returns the object's reference.
func (o Object) Ref() uint64 { return uint64(o) & (1<<refBits - 1) }

// Objects that are Go values: capabilities name them by a place in a table on the heap, and a
// number that makes the name unique.
//
//	reference  47 set | 46..20 number | 19..0 place
//
// Each is held by who registered it and by every root capability for it; what was derived from a
// root does not outlive it. The last one to let go takes it out of its place, and then runs its
// release function. A root lets go when its slot is free, a grace period after it was revoked, so
// no gated call can still be using the value.
//
// Words and writers: a place by who took it from the free list, then by who let go last; chunks by
// CAS from nil; users by adding, from 1 up, down to 0, which is final.
//
// Progress: lock-free.

const (
	placeBits  = 20
	maxObjects = 1 << placeBits
	objectPage = 1024
)

// registry is the table of Go values.
type registry struct {
	pages [maxObjects / objectPage]atomic.Pointer[[objectPage]atomic.Pointer[object]]
	links []uint32 // lockfree.Stack's, from Config.Reserve
	free  lockfree.Stack
	fresh atomic.Uint32 // places from here on were never used
	count atomic.Uint64 // numbers
}

type object struct {
	name    Object
	value   any
	release func()
	users   atomic.Int64
}

// Register makes an object of a Go value, which the caller holds until Unregister. release, if not
// nil, is called once, when the caller and all capabilities have let go.
//
// Errors: ErrFull.
func (t *Table) Register(typ Type, value any, release func()) (Object, error) {
	r := &t.objects
	place, ok := r.free.Pop(r.links)
	for !ok {
		place = r.fresh.Load()
		if place == maxObjects {
			return 0, ErrFull
		}
		ok = r.fresh.CompareAndSwap(place, place+1)
	}
	number := r.count.Add(1) << placeBits & (registered - 1)
	o := &object{
		name:    Object(uint64(typ)<<refBits | registered | number | uint64(place)),
		value:   value,
		release: release,
	}
	o.users.Store(1)
	page := &r.pages[place/objectPage]
	if page.Load() == nil {
		page.CompareAndSwap(nil, new([objectPage]atomic.Pointer[object]))
	}
	page.Load()[place%objectPage].Store(o)
	return o.name, nil
}

// Unregister ends what Register began, once.
func (t *Table) Unregister(o Object) { t.unhold(o) }

// Value returns a registered value. False: it has been released. Within the read section of an
// admitted call it is there.
func (t *Table) Value(o Object) (any, bool) {
	if x := t.objects.find(o); x != nil {
		return x.value, true
	}
	return nil, false
}

// Held is Value of an object that somebody holds, as an admitted call does, and inlined.
//
// Preconditions: the object is registered.
func (t *Table) Held(o Object) any {
	place := o % maxObjects
	return t.objects.pages[place/objectPage].Load()[place%objectPage].Load().value
}

// find returns a registered object, or nil.
func (r *registry) find(o Object) *object {
	if o&registered == 0 {
		return nil
	}
	place := o % maxObjects
	page := r.pages[place/objectPage].Load()
	if page == nil {
		return nil
	}
	if x := page[place%objectPage].Load(); x != nil && x.name == o {
		return x
	}
	return nil
}

// hold keeps an object from being released. False: it has been. One that is no Go value needs none.
func (t *Table) hold(o Object) bool {
	if o&registered == 0 {
		return true
	}
	x := t.objects.find(o)
	if x == nil {
		return false
	}
	for {
		n := x.users.Load()
		if n == 0 {
			return false
		}
		if x.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// unhold ends a hold.
func (t *Table) unhold(o Object) {
	r := &t.objects
	x := r.find(o)
	if x == nil || x.users.Add(-1) != 0 {
		return
	}
	place := uint32(o % maxObjects)
	r.pages[place/objectPage].Load()[place%objectPage].Store(nil)
	r.free.Push(r.links, place)
	if x.release != nil {
		x.release()
	}
}
