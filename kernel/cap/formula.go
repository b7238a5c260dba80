package cap

// Formula is a condition beside the permissions.
type Formula struct{}

// attach gives a slot that is being filled its formula and its account.
func (t *Table) attach(slot uint32, opt Options) error {
	t.cold[slot].formula.Store(0)
	t.cold[slot].gas.Store(opt.Gas)
	return nil
}

// detach takes back what attach gave.
//
// Preconditions: no reader can reach the slot any more.
func (t *Table) detach(slot uint32) {}

// evalChain asks the formulas of an entry and its ancestors.
//
// Preconditions: in a read section.
func (t *Table) evalChain(slot uint32) Verdict { return OK }

// evalChainBelow is evalChain without users' functions, which refuse.
func (t *Table) evalChainBelow(slot uint32) Verdict { return OK }
