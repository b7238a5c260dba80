package cap

// draw takes gas from the account that an entry draws on: its own or its nearest ancestor's.
//
// Preconditions: in a read section.
func (t *Table) draw(slot uint32, gas int64) Verdict { return OK }

// closeGas closes an entry's account and hands on the rest, once, called by who revoked it.
//
// Preconditions: in a read section.
func (t *Table) closeGas(slot uint32) {}

// balance returns what is in an entry's own account.
func (t *Table) balance(slot uint32) int64 { return t.cold[slot].gas.Load() }
