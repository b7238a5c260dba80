package main

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"pdac/kernel/gate"
)

// pauses are percentiles of how long the world took to stop, or stood still altogether, in ms: upper bounds.
type pauses struct {
	What  string  `json:"what"`
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Most  float64 `json:"most"`
	Each  float64 `json:"each"` // ms from the call to its return, on average
}

const (
	collections  = 1
	busyPriority = 0
	others       = 100
)

// stops measures how long the world takes to stop while 64 tasks compute, whose quantum is the longest that there is.
func stops() {
	options := make([]gate.TaskOptions, 64)
	for i := range options {
		options[i].Quantum, options[i].Priority = gate.MinQuantum, busyPriority
	}
	s := spin(options)
	runtime.GC() // makes the collector's workers
	var m runtime.MemStats
	s.measure("other", others, func() { runtime.ReadMemStats(&m) })
	s.measure("gc", collections, runtime.GC)
}

// tune gives all of the tasks a quantum.
func (s *spinners) tune(quantum time.Duration) {
	for _, id := range s.tasks {
		check(gate.TaskTune(id, gate.TaskOptions{Quantum: quantum, Priority: busyPriority, CPUs: []int{0}}))
	}
}

// busy returns when all of the tasks compute, or wait for the CPU to do so, with the longest quantum. When the world has
// stood still the runtime sets its threads going one after the other, as each gets the CPU: with a short quantum that
// is soon done.
func (s *spinners) busy() {
	s.tune(gate.MinQuantum)
	before, _ := s.used()
	for going := false; !going; {
		sleep(2 * time.Millisecond)
		going = true
		now, _ := s.used()
		for i := range now {
			going = going && now[i]-before[i] > uint64(2*gate.MinQuantum)
		}
	}
	s.tune(gate.MaxQuantum)
}

// measure tells of n pauses of a kind, as runtime/metrics names them.
func (s *spinners) measure(kind string, n int, stop func()) {
	names := []string{"stopping", "total"}
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = "/sched/pauses/" + name + "/" + kind + ":seconds"
	}
	read := func() (counts [][]uint64) {
		metrics.Read(samples)
		for _, s := range samples {
			counts = append(counts, slices.Clone(s.Value.Float64Histogram().Counts))
		}
		return counts
	}
	before := read()
	var spent time.Duration
	for i := range n {
		s.busy()
		sleep(time.Duration(i%20+1) * time.Millisecond)
		start := time.Now()
		stop()
		spent += time.Since(start)
	}
	for i, counts := range read() {
		for k := range counts {
			counts[k] -= before[i][k]
		}
		r := distribution(counts, samples[i].Value.Float64Histogram().Buckets)
		r.What, r.Each = names[i]+" "+kind, spent.Seconds()*1e3/float64(n)
		tell(r)
	}
}

// distribution sums up a histogram, whose bounds are in seconds.
func distribution(counts []uint64, bounds []float64) (p pauses) {
	for _, n := range counts {
		p.Count += n
	}
	passed := uint64(0)
	for i, n := range counts {
		if n == 0 {
			continue
		}
		p.Most = bounds[i+1] * 1e3
		if passed*2 < p.Count {
			p.P50 = p.Most
		}
		if passed*100 < p.Count*99 {
			p.P99 = p.Most
		}
		passed += n
	}
	return p
}
