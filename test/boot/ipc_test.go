package boot

import (
	"strconv"
	"testing"
)

// TestIPC moves pages and waits for grace periods in a guest.
func TestIPC(t *testing.T) {
	for _, cpus := range []int{1, 2} {
		t.Run(strconv.Itoa(cpus), func(t *testing.T) {
			Boot(t, Options{Image: "./test/images/ipc", CPUs: cpus, Nodes: 1}).Want(t, 3)
		})
	}
}
