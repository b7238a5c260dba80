package sim

import "fmt"

// Scenario is a workload by name.
type Scenario struct {
	Name, About string
	// Make returns it for a machine of so many CPUs, size times as large as usual (at least a little of it).
	Make func(cpus int, size float64) Workload
}

// Scenarios are all that there are.
var Scenarios = []Scenario{
	{"fork-join", "10,000 functions of 10 us from one root, each half of the rest spawned by the function before", func(_ int, size float64) Workload {
		return newForkJoin(scaled(10_000, size), false)
	}},
	{"flat", "the same, all spawned by the root", func(_ int, size float64) Workload {
		return newForkJoin(scaled(10_000, size), true)
	}},
	{"server", "bursts of requests of 20 us at 70% load, 4 worker tasks a CPU", func(cpus int, size float64) Workload {
		return newServer(4*cpus, scaled(500*cpus, size), false)
	}},
	{"hot-node", "the same, all of whose requests arrive at node 0", func(cpus int, size float64) Workload {
		return newServer(4*cpus, scaled(500*cpus, size), true)
	}},
	{"pairs", "a producer and a consumer a CPU, 5 us an item each, 16 between them", func(cpus int, size float64) Workload {
		return newPairs(cpus, scaled(2000, size))
	}},
	{"imbalance", "8 tasks a CPU of 1 ms, exponentially distributed, all made on CPU 0", func(cpus int, size float64) Workload {
		return newBatch(scaled(8*cpus, size))
	}},
	{"oversubscribed", "10 equal tasks of 200 ms a CPU, which never wait", func(cpus int, size float64) Workload {
		return newCrowd(10*cpus, uint64(scaled(200_000_000, size)))
	}},
	{"lottery", "8 tasks a CPU that never wait, pinned, with 1 to 1,000 tickets at random: 10,000 draws", func(cpus int, size float64) Workload {
		return newContest(true, cpus, scaled(10_000, size))
	}},
	{"priorities", "8 tasks a CPU that never wait, pinned, of the 8 priorities: 10,000 quanta", func(cpus int, size float64) Workload {
		return newContest(false, cpus, scaled(10_000, size))
	}},
	{"latency", "the server's bursts at 30% load by tasks of the latency class, over 2 tasks a CPU that never wait", func(cpus int, size float64) Workload {
		return newMixed(cpus, scaled(200*cpus, size))
	}},
	{"naps", "2 tasks a CPU of 50 us turns and 20 us sleeps, 32 KiB each, all made on node 0", func(cpus int, size float64) Workload {
		return newSleepers(2*cpus, scaled(200, size))
	}},
}

func scaled(n int, size float64) int { return max(1, int(float64(n)*size)) }

// Find returns a scenario.
func Find(name string) (*Scenario, error) {
	for i := range Scenarios {
		if Scenarios[i].Name == name {
			return &Scenarios[i], nil
		}
	}
	return nil, fmt.Errorf("sim: no scenario %q", name)
}
