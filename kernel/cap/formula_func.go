package cap

// Functions of formulas: registered as objects (object.go) of type 0, which no capability is for.
//
// World: above the runtime.

// ask asks the functions of a chain about the use of an entry.
//
// A function is told all of the entry but its identifier: it belongs to who derived the entry or
// one above, and whoever knows an identifier may use it.
func (t *Table) ask(first, slot uint32) Verdict {
	info, ok := t.info(slot)
	if !ok {
		return ErrRevoked
	}
	info.ID = 0
	for s := first; s != 0; s = t.records[s].next() {
		function := Object(t.records[s].function.Load())
		if function == 0 {
			continue
		}
		value, _ := t.Value(function) // it is there in this section
		if v := t.run(value.(func(Info) bool), info); v != OK {
			return v
		}
	}
	return OK
}

// run runs one function. From inside another one none is run: its uses could lead back to itself, for ever.
func (t *Table) run(f func(Info) bool, info Info) Verdict {
	if t.insiders.inside() {
		return ErrInside
	}
	place, ok := t.insiders.enter()
	if !ok {
		return ErrRefused
	}
	defer t.insiders.leave(place) // it may panic
	if !f(info) {
		return ErrRefused
	}
	return OK
}
