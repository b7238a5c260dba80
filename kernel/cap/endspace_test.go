package cap

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// EndSpace doesn't return while somebody else, who has made a capability of the space REVOKED, is still on
// the way to what was derived from it.
func TestEndSpaceWaitsForOthersWalks(t *testing.T) {
	for name, c := range map[string]struct {
		gas    int64 // with some it is no leaf
		hidden bool  // the child comes after the look for children
	}{"leaf": {0, true}, "subtree": {1, false}} {
		t.Run(name, func(t *testing.T) {
			table := newTable(t, 1024)
			root := must(t)(table.Create(0, 1, file7, AllPerms, Options{Gas: c.gas}))
			child := must(t)(table.Derive(0, root, 2, Read, Options{}))
			first := &table.cold[root.Slot()].first
			if c.hidden {
				first.Store(0)
			}
			stopped, goOn := make(chan bool), make(chan bool)
			w, err := table.Await(root, func() { // between the CAS and the walk
				first.Store(child.Slot())
				close(stopped)
				<-goOn
			})
			wantErr(t, err, nil)
			revoked, ended := make(chan error), make(chan error)
			go func() { revoked <- table.Revoke(root, root) }()
			<-stopped
			if !table.Check(child, Read) {
				t.Fatal("not stopped in the window")
			}
			var over atomic.Bool
			go func() {
				n, err := table.EndSpace(1)
				if n != 0 || table.Check(child, Read) {
					t.Errorf("EndSpace revoked %d, the child passes: %t", n, table.Check(child, Read))
				}
				over.Store(true)
				ended <- err
			}()
			for range 1000 { // time for it to return, if it would
				runtime.Gosched()
			}
			if over.Load() {
				t.Error("EndSpace returned before the walk")
			}
			close(goOn)
			wantErr(t, <-revoked, nil)
			wantErr(t, <-ended, nil)
			table.Done(w)
			wantWhole(t, table)
		})
	}
}
