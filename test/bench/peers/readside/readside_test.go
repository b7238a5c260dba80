package readside

import (
	"slices"
	"testing"
)

func TestSectionsRead(t *testing.T) {
	for _, k := range slices.Concat(Peers(), Own()) {
		loop := k.New()
		for w := range Workers {
			if got := loop(w, 1000); got != 1000 {
				t.Errorf("%s: worker %d read %d of 1000", k.Name, w, got)
			}
		}
	}
}

func TestGracePeriodsEnd(t *testing.T) {
	for _, g := range OwnGraces() {
		wait, end := g.New()
		wait(100)
		end()
	}
}
