package table

import (
	"io"
	"slices"
	"testing"

	"pdac/test/bench/peers/keys"
)

// Every lookup of a filled table passes, replaced entries included, and none of an identifier that
// was replaced: figures of a table that fails here would compare something else.
func TestLookups(t *testing.T) {
	const n = 1 << 10
	for _, k := range slices.Concat(Peers(), Own()) {
		t.Run(k.Name, func(t *testing.T) {
			table, ids := k.Build(n)
			if c, ok := table.(io.Closer); ok {
				defer c.Close()
			}
			if len(ids) != n {
				t.Fatalf("%d identifiers, want %d", len(ids), n)
			}
			for i, pattern := range []keys.Pattern{keys.Uniform, keys.Zipf} {
				seq := keys.Of(ids, pattern(n, keys.Length(n)))
				if got := table.Read(0, seq, i, 100000); got != 100000 {
					t.Errorf("%d of 100000 reads passed", got)
				}
				if c, ok := table.(Chaser); ok {
					if got := c.Chase(0, seq, i, 100000); got != 100000 {
						t.Errorf("%d of 100000 chased reads passed", got)
					}
				}
			}
			w, ok := table.(Writable)
			if !ok {
				return
			}
			kept, churns := Split(ids)
			churn := churns[1]
			seq := keys.Of(kept, keys.Uniform(len(kept), keys.Length(n)))
			was := slices.Clone(churn.ids)
			if got := churn.Mixed(w, 0, seq, 0, 100*len(was)+7, 100); got != 100*len(was)+7 {
				t.Errorf("%d of %d operations passed", got, 100*len(was)+7)
			}
			if got := table.Read(0, was, 0, len(was)); got != 0 {
				t.Errorf("%d of %d replaced identifiers are found", got, len(was))
			}
			if got := table.Read(0, churn.ids, 0, len(was)); got != len(was) {
				t.Errorf("%d of %d new identifiers are found", got, len(was))
			}
		})
	}
}

func TestSplitSharesNothing(t *testing.T) {
	ids := make([]uint64, 32)
	for i := range ids {
		ids[i] = uint64(i)
	}
	kept, churns := Split(ids)
	if got := slices.Concat(kept, churns[0].ids, churns[1].ids); !slices.Equal(got, ids) || len(kept) != 28 || len(churns[1].ids) != 2 {
		t.Errorf("Split = %v, %v, %v", kept, churns[0].ids, churns[1].ids)
	}
}
