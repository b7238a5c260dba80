//go:build race

package sim

import (
	"os/exec"
	"testing"
)

// TestWithoutRaceDetector runs all of this package's tests without it: it has nothing to find in one goroutine, and makes the files
// with !race in their first line take fifty times as long.
func TestWithoutRaceDetector(t *testing.T) {
	if out, err := exec.Command("go", "test", "-count=1", "pdac/test/sim").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
