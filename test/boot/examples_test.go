package boot

import "testing"

// TestExampleTasks: what tasks share a CPU all get turns, and one that sleeps is killed.
func TestExampleTasks(t *testing.T) {
	Need(t)
	r := Boot(t, Options{Image: "./examples/tasks", CPUs: 2, Nodes: 1})
	r.Want(t, 0, "worker 0: ", "worker 3: ", "the sleeper was killed\n")
}

// TestExampleGraph: graphs run on workers of all CPUs, and fail with the way that led there.
func TestExampleGraph(t *testing.T) {
	Need(t)
	r := Boot(t, Options{Image: "./examples/graph", CPUs: 3, Nodes: 2})
	r.Want(t, 0, "9000 words, the 2000 times\n", "dag: graph bad: first > second: no luck\n", "dag: graph cycle: cycle a > b > a\n", "functions on 3 workers\n")
}
