package kernel

import (
	"bytes"
	"fmt"

	"pdac/kernel/console"
	"pdac/kernel/sched"
)

// The scheduler as the console shows and sets it.

var classNames = [...]string{sched.ClassNormal: "normal", sched.ClassLatency: "latency", sched.ClassBatch: "batch"}

var policyNames = [...]string{sched.RoundRobin: "rr", sched.Lottery: "lottery"}

func schedule() console.Sched {
	r := console.Sched{Strategy: sched.StrategyNow().String()}
	for c, name := range classNames {
		class := sched.Class(c)
		policy := policyNames[sched.PolicyOf(class)]
		if class == sched.ClassLatency {
			policy = "fifo"
		}
		r.Classes = append(r.Classes, console.SchedClass{Name: name, Policy: policy, QuantumNS: sched.ClassQuantum(class)})
	}
	for i := range hardware.NCPU {
		s := sched.Stats(i)
		r.CPUs = append(r.CPUs, console.SchedCPU{ID: i, Node: int(hardware.Nodes[i]), Task: s.Current, Queued: int(s.Queued),
			Switches: s.Switches, Preemptions: s.Preemptions, Wakeups: s.Wakeups, Stolen: s.Stolen, Balanced: s.Balanced,
			Kicks: s.Kicks, IdleNS: s.Idle})
	}
	sched.StealStats(func(s sched.StealCount) {
		r.Steals = append(r.Steals, console.Steals{Strategy: s.Strategy.String(), Distance: int(s.Distance), Tried: s.Tried,
			Won: s.Won, Tasks: s.Tasks})
	})
	return r
}

func setPolicy(class, policy string) error {
	for c, name := range classNames {
		if class != name || sched.Class(c) == sched.ClassLatency {
			continue
		}
		for p, name := range policyNames {
			if policy == name {
				sched.SetPolicy(sched.Class(c), sched.Policy(p))
				return nil
			}
		}
		return fmt.Errorf("policy %q is none of rr, lottery", policy)
	}
	return fmt.Errorf("class %q is none of normal, batch", class)
}

func setStrategy(strategy string) error {
	for s := range sched.Strategies {
		if strategy == s.String() {
			sched.SetStrategy(s)
			return nil
		}
	}
	return fmt.Errorf("%q is none of random, circular, affinity", strategy)
}

// events returns the last n events of each CPU, and whether events are kept. Names are those that tasks have now.
func events(n int) (all []console.SchedEvent, on bool) {
	for cpu := range hardware.NCPU {
		sched.Events(cpu, n, func(e sched.Event) {
			x := console.SchedEvent{TimeNS: e.Time, CPU: cpu, Node: int(hardware.Nodes[cpu]), Kind: e.Kind.String(), Task: e.Task, Other: int(e.Arg)}
			if e.Task != 0 {
				i := sched.Info(e.Task)
				name, _, _ := bytes.Cut(i.Name[:], []byte{0})
				x.Name = string(name)
			}
			all = append(all, x)
		})
	}
	return all, sched.Tracing()
}
