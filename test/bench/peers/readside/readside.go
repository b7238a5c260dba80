// Package readside has the ways in which a reader says that it reads, each around the same load of
// a pointer to a shared record. The loops are written out for each, so that the call is no part of
// the figure.
package readside

import (
	"sync"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v4"
)

// Kind names a way and makes the loop of n sections of one worker.
type Kind struct {
	Name string
	New  func() func(worker, n int) int
}

// Workers is the largest number of workers.
const Workers = 2

// record is what is read.
type record struct{ v int }

// Peers returns the ways of others.
func Peers() []Kind {
	return []Kind{
		{"atomic.Pointer, no section", pointer},
		{"RWMutex", rwMutex},
		{"xsync.RBMutex", rbMutex},
	}
}

func pointer() func(worker, n int) int {
	var p atomic.Pointer[record]
	p.Store(&record{v: 1})
	return func(_, n int) (sum int) {
		for range n {
			sum += p.Load().v
		}
		return sum
	}
}

func rwMutex() func(worker, n int) int {
	var p atomic.Pointer[record]
	p.Store(&record{v: 1})
	var mu sync.RWMutex
	return func(_, n int) (sum int) {
		for range n {
			mu.RLock()
			sum += p.Load().v
			mu.RUnlock()
		}
		return sum
	}
}

func rbMutex() func(worker, n int) int {
	var p atomic.Pointer[record]
	p.Store(&record{v: 1})
	mu := xsync.NewRBMutex()
	return func(_, n int) (sum int) {
		for range n {
			token := mu.RLock()
			sum += p.Load().v
			mu.RUnlock(token)
		}
		return sum
	}
}
