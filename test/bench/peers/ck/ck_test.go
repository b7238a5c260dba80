package ck

import (
	"io"
	"testing"

	"pdac/test/bench/peers/keys"
	"pdac/test/bench/peers/queue"
	"pdac/test/bench/peers/table"
)

func TestTables(t *testing.T) {
	const n = 1 << 10
	for _, k := range Tables() {
		filled, ids := k.Build(n)
		seq := keys.Of(ids, keys.Uniform(n, keys.Length(n)))
		if got := filled.Read(0, seq, 0, 100000); got != 100000 {
			t.Errorf("%s: %d of 100000 reads passed", k.Name, got)
		}
		if got := filled.(table.Chaser).Chase(0, seq, 0, 100000); got != 100000 {
			t.Errorf("%s: %d of 100000 chased reads passed", k.Name, got)
		}
		filled.(io.Closer).Close()
	}
}

func TestQueues(t *testing.T) {
	const n = 20000
	for _, k := range Queues() {
		q := k.New().(queue.Queue)
		if got := q.Pairs(n); got != n*(n-1)/2 {
			t.Errorf("%s: pairs: sum %d, want %d", k.Name, got, n*(n-1)/2)
		}
		go q.Produce(n)
		if got := q.Consume(n); got != n*(n-1)/2 {
			t.Errorf("%s: sum %d, want %d", k.Name, got, n*(n-1)/2)
		}
	}
}

func TestSectionsAndGracePeriods(t *testing.T) {
	for _, k := range ReadSides() {
		loop := k.New()
		for w := range 2 {
			if got := loop(w, 1000); got != 1000 {
				t.Errorf("%s: worker %d read %d of 1000", k.Name, w, got)
			}
		}
	}
	for _, g := range Graces() {
		wait, end := g.New()
		wait(100)
		end()
	}
}
