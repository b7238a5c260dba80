package gate

import (
	"pdac/kernel/cap"
	"pdac/kernel/space"
)

// Capabilities of any type. The table (package cap) decides who may; these calls are not admitted as
// the others are, since most of them wait for those that were.

// CapDerive makes a capability for the same object below id, which has Delegate, with a part of its
// permissions. It is held by space to; 0 is the caller's. opt may bound it by a formula, and give it
// gas of the account that id draws on. The formula's function runs in the caller's space, whoever
// uses the capability.
//
// Errors: of id; *ExceedsError; ErrNoSpace; ErrFormula; ErrGas; cap.ErrFull.
func CapDerive(id ID, to Space, p Perm, opt Options) (ID, error) {
	heed()
	derived, err := capDeriveTo(id, to, p, opt)
	return derived, capDerive.counted(err)
}

func capDeriveTo(id ID, to Space, p Perm, opt Options) (ID, error) {
	if to == 0 {
		to = Space(space.Get())
	}
	defer core.table.Agree(id).End() // before the section
	cpu := core.cpu()
	defer core.rcu.ReadUnlock(core.rcu.ReadLock(cpu)) // birth.end waits for it
	if !alive(to) {
		return 0, ErrNoSpace
	}
	return core.table.DeriveAgreed(cpu, id, to, p, own(opt))
}

// own has the function of a formula run in the caller's space. It is asked on the goroutine of who
// uses the capability, and would have all the authority of that one's space.
func own(opt Options) Options {
	if opt.Formula == nil || opt.Formula.Func == nil {
		return opt
	}
	f, owner := *opt.Formula, space.Get()
	ask := f.Func
	f.Func = func(i Info) bool {
		defer space.Set(space.Get()) // it may panic
		space.Set(owner)
		return ask(i)
	}
	opt.Formula = &f
	return opt
}

// CapGrant adds permissions to id, which has Upgrade. authority is what it was derived from, with
// Delegate and the permissions.
//
// Errors: of either; ErrNotOwner; *ExceedsError; ErrBusy.
func CapGrant(authority, id ID, p Perm) error {
	heed()
	return capGrant.counted(core.table.Grant(authority, id, p))
}

// CapNarrow takes all permissions but those to keep from id and all derived from it, and waits until
// no call relies on them any more. authority is id or above it, with Revoke.
//
// Errors: of either; ErrNotOwner; ErrInside.
func CapNarrow(authority, id ID, keep Perm) error {
	heed()
	return capNarrow.counted(core.table.Narrow(authority, id, keep))
}

// CapRevoke ends id and all derived from it: when it returns, no check of them passes anywhere, the
// calls that they admitted have ended, and blocked ones were woken. authority is id or above it,
// with Revoke.
//
// Errors: of either; ErrNotOwner; ErrInside.
func CapRevoke(authority, id ID) error {
	heed()
	return capRevoke.counted(core.table.Revoke(authority, id))
}

// CapTransfer gives id, which has Transfer, to another space, and returns its new identifier. The
// old one ends as by CapRevoke; what was derived from it stays.
//
// Errors: of id; ErrNoSpace; ErrInside.
func CapTransfer(id ID, to Space) (ID, error) {
	heed()
	moved, err := capTransferTo(id, to)
	if err == nil {
		core.rcu.Synchronize()
	}
	return moved, capTransfer.counted(err)
}

func capTransferTo(id ID, to Space) (ID, error) {
	defer core.table.Agree(id).End()                         // before the section
	defer core.rcu.ReadUnlock(core.rcu.ReadLock(core.cpu())) // birth.end waits for it
	if !alive(to) {
		return 0, ErrNoSpace
	}
	return core.table.Carry(id, to)
}

// CapDelete is CapRevoke of one's own: id has Delete.
func CapDelete(id ID) error {
	heed()
	return capDelete.counted(core.table.Delete(id))
}

// CapInfo tells about a capability to who knows it.
//
// Errors: ErrNoCapability, ErrRevoked.
func CapInfo(id ID) (Info, error) {
	heed()
	i, err := core.table.Info(id)
	return i, capInfo.counted(err)
}

// CapFund makes another root capability for the object of id, with an account of gas, for the
// caller's space: what is derived from it draws on that, or is given a part. id is a root
// capability with all of its permissions.
//
// Errors: of id; ErrNotOwner: it was derived; ErrNoSpace; ErrGas: less than 1, or more than there can be.
func CapFund(id ID, gas int64) (ID, error) {
	heed()
	funded, err := fund(id, gas)
	return funded, capFund.counted(err)
}

func fund(id ID, gas int64) (ID, error) {
	cpu := core.cpu()
	defer core.rcu.ReadUnlock(core.rcu.ReadLock(cpu))
	i, err := core.table.Info(id)
	if err != nil {
		return 0, err
	}
	owner := Space(space.Get())
	switch missing := usual &^ i.Perms; {
	case missing != 0:
		return 0, &PermissionError{Missing: missing}
	case i.Parent != 0:
		return 0, ErrNotOwner
	case i.Slow: // what it asks would not be asked
		return 0, ErrFormula
	case !alive(owner):
		return 0, ErrNoSpace
	case gas < 1:
		return 0, ErrGas
	}
	return core.table.Create(cpu, owner, i.Object, i.Perms, Options{Gas: gas})
}

// discard ends a capability of which nobody was told; 0 is none. It doesn't wait.
func discard(id ID) {
	if id == 0 {
		return
	}
	core.rcu.Call(func() { _ = core.table.Kill(id) }) // ErrRevoked: it died with what it was derived from
}

// carrier is how messages carry capabilities: ipc.Capabilities.
type carrier struct{}

// Derive implements ipc.Capabilities.
func (carrier) Derive(id ID, to Space, keep Perm) (ID, error) {
	if !alive(to) { // the call's section holds its end up
		return 0, ErrNoSpace
	}
	return core.table.DeriveAgreed(core.cpu(), id, to, keep, Options{})
}

// Transferable implements ipc.Capabilities.
func (carrier) Transferable(id ID) error {
	i, err := core.table.Info(id)
	if err == nil && i.Perms&Transfer == 0 {
		err = &PermissionError{Missing: Transfer}
	}
	return err
}

// Transfer implements ipc.Capabilities. Who sends waits for the grace period after his call.
func (carrier) Transfer(id ID, to Space) (ID, error) {
	if !alive(to) {
		return 0, ErrNoSpace
	}
	return core.table.Carry(id, to)
}

// Owner implements ipc.Capabilities.
func (carrier) Owner(id ID) (cap.Space, error) {
	i, err := core.table.Info(id)
	return i.Space, err
}

// Drop implements ipc.Capabilities.
func (carrier) Drop(id ID) { discard(id) }
