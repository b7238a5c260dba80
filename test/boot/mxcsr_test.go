package boot

import (
	"strconv"
	"testing"
)

func TestMXCSRBelongsToTheThread(t *testing.T) {
	Need(t)
	for _, cpus := range []int{1, 2} {
		t.Run(strconv.Itoa(cpus), func(t *testing.T) {
			Boot(t, Options{Image: "./test/images/mxcsr", CPUs: cpus, Nodes: 1}).Want(t, 0)
		})
	}
}
