package cap

import "math"

// Gas: what gated calls cost, in accounts that cannot be overdrawn.
//
// An account is a word of a record (formula.go): a balance, or closed, which is also what a record
// without an account has. Each record names the account that pays for its entry and for those
// below it: its own, or the nearest above. An account stands for all that is derived from it, so who
// derives without gas shares his own; with gas, he gives away a part of it, which bounds what the
// child can spend. (Rejected: an entry without an account pays nothing. Then deriving would be a way
// around every account.) Where there is no account up to the root, calls are free and nothing can be
// given to a child: gas comes from Create alone, which mints it.
//
// Invariant: minted = spent + balances + treasury, whenever nobody is between two of these words. Each
// operation takes from one word what it adds to another, and who took it does the adding.
//
// Words and writers:
//
//	gas        by CAS: down who draws, never below 0; up who gives back, never from closed. Who
//	           made the entry REVOKED swaps in closed, which is final
//	minted     by CAS: Create, up
//	treasury   by adding: who finds no open account above a closed one
//	spent      by adding, per CPU: spend
//
// Minted is below 2^63, and so is every sum of parts of it: nothing else can overflow.
//
// Linearization: the CAS of the account; of ErrGas the load that found too little.
//
// Reclamation: accounts are in the records of a chain, as formula.go says.
//
// Progress: lock-free.

// closed is the word of no account, or of one whose entry was revoked: nothing can be drawn from it
// nor given to it.
const closed = math.MinInt64

// GasStats tells where all gas is. Balances are what is missing to Minted.
type GasStats struct {
	Minted   int64 // made by Create
	Spent    int64 // by admitted calls
	Treasury int64 // left over by accounts without an open one above
}

// spend asks the formulas of an entry and draws what a call costs, if there is an account.
//
// Preconditions: as evalChain.
func (t *Table) spend(cpu int, slot uint32, gas int64) Verdict {
	if t.payer(t.cold[slot].formula.Load()) == 0 {
		gas = 0
	}
	v := t.evalChain(slot, gas)
	if v == OK && gas != 0 {
		t.spent.Add(cpu, gas)
	}
	return v
}

// mint makes gas.
func (t *Table) mint(gas int64) Verdict {
	for {
		minted := t.minted.Load()
		if gas > math.MaxInt64-minted {
			return ErrGas
		}
		if gas == 0 || t.minted.CompareAndSwap(minted, minted+gas) {
			return OK
		}
	}
}

// payer returns the slot of the account that a chain draws on; 0: it pays nothing.
func (t *Table) payer(first uint32) uint32 {
	if first == 0 {
		return 0
	}
	return t.records[first].payer.Load()
}

// draw takes gas from the account that a chain draws on. An account that is closed belongs to an
// entry that has been revoked, and so has, or will be in an instant, the one whose chain this is.
//
// Preconditions: in a read section; there is an account.
func (t *Table) draw(first uint32, gas int64) Verdict {
	account := &t.records[t.payer(first)].gas
	for {
		balance := account.Load()
		switch {
		case balance == closed:
			return ErrRevoked
		case balance < gas:
			return ErrGas
		}
		if account.CompareAndSwap(balance, balance-gas) {
			return OK
		}
	}
}

// credit gives gas to the nearest open account of a chain, else to the treasury.
//
// Preconditions: in a read section.
func (t *Table) credit(first uint32, gas int64) {
	if gas == 0 {
		return
	}
	for payer := t.payer(first); payer != 0; payer = t.payer(t.records[payer].next()) {
		account := &t.records[payer].gas
		for balance := account.Load(); balance != closed; balance = account.Load() {
			if account.CompareAndSwap(balance, balance+gas) {
				return
			}
		}
	}
	t.treasury.Add(gas)
}

// closeGas closes an entry's own account and hands on the rest, called once, by who revoked it.
//
// Preconditions: in a read section.
func (t *Table) closeGas(slot uint32) {
	if t.cold[slot].formula.Load() != slot {
		return
	}
	r := &t.records[slot]
	if rest := r.gas.Swap(closed); rest != closed {
		t.credit(r.next(), rest)
	}
}

// balance returns what is in an entry's own account; 0: nothing, or it has none.
func (t *Table) balance(slot uint32) int64 {
	if t.cold[slot].formula.Load() != slot {
		return 0
	}
	return max(t.records[slot].gas.Load(), 0)
}

// gasStats sums up. It is not a snapshot.
func (t *Table) gasStats() GasStats {
	return GasStats{Minted: t.minted.Load(), Spent: t.spent.Sum(), Treasury: t.treasury.Load()}
}
