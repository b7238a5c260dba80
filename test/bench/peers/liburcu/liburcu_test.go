package liburcu

import "testing"

func TestSectionsAndGracePeriods(t *testing.T) {
	for _, k := range ReadSides() {
		if got := k.New()(0, 1000); got != 1000 {
			t.Errorf("%s read %d of 1000", k.Name, got)
		}
	}
	for _, g := range Graces() {
		wait, end := g.New()
		wait(3)
		end()
	}
}
