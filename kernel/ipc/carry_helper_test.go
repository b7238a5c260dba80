package ipc

import (
	"errors"
	"sync"

	"pdac/kernel/cap"
)

// holdings plays kernel/cap: who holds what, with which permissions. Identifiers never come back.
type holdings struct {
	mu      sync.Mutex
	last    cap.ID
	held    map[cap.ID]held
	dropped int

	before func() // called at the start of each Transfer, for what others do meanwhile
}

type held struct {
	space  cap.Space
	perms  cap.Perm
	parent cap.ID
}

var errGone, errMay = errors.New("gone"), errors.New("may not")

func (h *holdings) add(e held) cap.ID {
	h.last++
	h.held[h.last] = e
	return h.last
}

func (h *holdings) create(s cap.Space, p cap.Perm) cap.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.add(held{space: s, perms: p})
}

func (h *holdings) look(id cap.ID, need cap.Perm) (held, error) {
	e, ok := h.held[id]
	switch {
	case !ok:
		return e, errGone
	case need&^e.perms != 0:
		return e, errMay
	}
	return e, nil
}

func (h *holdings) Derive(id cap.ID, to cap.Space, keep cap.Perm) (cap.ID, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, err := h.look(id, cap.Delegate|keep); err != nil {
		return 0, err
	}
	return h.add(held{to, keep, id}), nil
}

func (h *holdings) Transferable(id cap.ID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.look(id, cap.Transfer)
	return err
}

func (h *holdings) Transfer(id cap.ID, to cap.Space) (cap.ID, error) {
	if h.before != nil {
		h.before()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e, err := h.look(id, cap.Transfer)
	if err != nil {
		return 0, err
	}
	delete(h.held, id)
	e.space = to
	return h.add(e), nil
}

func (h *holdings) Owner(id cap.ID) (cap.Space, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, err := h.look(id, 0)
	return e.space, err
}

func (h *holdings) Drop(id cap.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, err := h.look(id, 0); err != nil {
		panic("dropped twice")
	}
	delete(h.held, id)
	h.dropped++
}

// memory plays the areas: ranges by their address.
type memory struct {
	mu    sync.Mutex
	last  uintptr
	at    map[uintptr]uintptr // length by address; those left behind have none
	left  map[uintptr]bool
	kept  map[uintptr]bool
	freed int

	before func() // called at the start of each Keep
}

func (m *memory) Move(at, n uintptr) (uintptr, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at[at] != n {
		return 0, errGone
	}
	delete(m.at, at)
	m.left[at] = true
	m.last += 1 << 32
	m.at[m.last] = n
	return m.last, nil
}

func (m *memory) Restore(to, n, at uintptr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at[to] != n || !m.left[at] {
		panic("restored what was not moved")
	}
	delete(m.at, to)
	delete(m.left, at)
	m.at[at] = n
}

func (m *memory) Keep(to, n uintptr) uintptr {
	if m.before != nil {
		m.before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at[to] != n || m.kept[to] {
		panic("kept what was not moved")
	}
	m.kept[to] = true
	return to
}

func (m *memory) Free(to, n uintptr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at[to] != n {
		panic("freed what was not moved")
	}
	delete(m.at, to)
	m.freed++
}
