//go:build !pdac && !race

package ipc

import (
	"os/exec"
	"testing"
)

// The tests, with goroutines switched as in an image.
func TestAsInAnImage(t *testing.T) {
	cmd := exec.Command("go", "test", "-short", "-count=1", "-tags=pdac", "-ldflags=-checklinkname=0", ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
