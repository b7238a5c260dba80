package cap

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// Everything at once on few capabilities: at rest nobody has more than its parent, and in the end
// every slot has come back.
func TestEverything(t *testing.T) {
	table := newTable(t, 2048)
	for range times(t, 300) {
		root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
		const places = 32
		var shared [places]atomic.Uint64
		for i := range shared {
			shared[i].Store(uint64(root))
		}
		work := func(cpu int) func() {
			r := rand.New(rand.NewPCG(rand.Uint64(), 0))
			return func() {
				for range 100 {
					at := &shared[r.IntN(places)]
					id := ID(at.Load())
					other := ID(shared[r.IntN(places)].Load())
					p := AllPerms &^ (1 << r.IntN(20))
					var made ID
					var err error
					switch n := r.IntN(16); {
					case n < 7:
						made, err = table.Derive(cpu, other, Space(cpu), p, Options{})
					case n < 10:
						err = table.Grant(other, id, p)
					case n == 10:
						err = table.Narrow(other, id, p)
					case n == 11:
						made, err = table.Transfer(id, Space(cpu))
					case n == 12 && id != root:
						if err = table.Revoke(other, id); err == nil && table.Check(id, 0) {
							t.Error("passes after Revoke")
						}
					case n == 13 && id != root:
						err = table.Delete(id)
					case n == 14 && r.IntN(10) == 0:
						_, err = table.EndSpace(Space(cpu))
					}
					if err == nil && made != 0 {
						at.Store(uint64(made))
					}
				}
			}
		}
		together(work(0), work(1), work(2), work(3))
		wantTree(t, table)
		var roots []ID
		table.Walk(func(i Info) bool {
			if i.Depth == 0 {
				roots = append(roots, i.ID)
			}
			return true
		})
		for _, id := range roots {
			wantErr(t, table.Kill(id), nil)
		}
		table.rcu.Barrier()
		if s := table.Stats(); s.Used != 0 {
			t.Fatalf("%d slots used: %+v", s.Used, s)
		}
	}
	wantWhole(t, table)
}
