package main

import (
	"strings"
	"testing"

	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/queue"
	"pdac/test/bench/peers/readside"
	"pdac/test/bench/peers/table"
)

func find(t *testing.T, all []verdict, goal string) verdict {
	t.Helper()
	for _, v := range all {
		if strings.HasPrefix(v.goal, goal) {
			return v
		}
	}
	t.Fatalf("no goal %q in %v", goal, all)
	return verdict{}
}

// Each goal is judged by its worst place, and none without figures.
func TestVerdicts(t *testing.T) {
	s := measure.New()
	o := options{sizes: []int{1024}}
	if got := verdicts(s, o); len(got) != 0 {
		t.Fatalf("verdicts without figures: %v", got)
	}
	for _, w := range workloads {
		for _, p := range cpus {
			ours := 2.0
			if w.name == "Zipf" && p == 2 {
				ours = 4
			}
			s.Record(tableName(table.XsyncMap, 1024, w, p), 10)
			s.Record(tableName(table.Ours, 1024, w, p), ours)
			s.Record(tableName(table.Loads, 1024, w, p), float64(p)) // the machine takes twice as long on 2
		}
	}
	s.Record(indexBytes, 16.000001)
	s.Record(overLoad, 5)
	for _, t := range traffics {
		s.Record(queueName(queue.XsyncMPMC, t), 12)
		s.Record(queueName(queue.Channel, t), 12)
		s.Record(queueName(queue.Ours, t), 9)
		s.Record(queueName(queue.OursUnbounded, t), 9)
	}
	s.Record(queueName(queue.OursUnbounded, batches), 6)
	s.Record(graceName(readside.OursGrace), 90)
	all := verdicts(s, o)
	for _, want := range []struct {
		goal    string
		reached float64
		met     bool
		where   string
	}{
		{"lookup and check, 1024", 2.5, false, "Zipf, 2 CPU"},
		{"the same with 1% writers", 5, true, ""},
		{"dependent", 5, true, ""},
		{"cost per thread", 2, false, "Zipf"},
		{"the same by that of loads", 1, true, "Zipf"},
		{"queue, push and pop alone: times as fast as xsync", 12. / 9, true, ""},
		{"queue, push and pop alone: times as fast as channel", 12. / 9, false, ""},
		{"queue, 16 at a time", 1.5, true, ""},
		{"index", 16.000001, true, ""},
		{"bare check", 5, false, ""},
		{"Synchronize", 90, true, ""},
	} {
		v := find(t, all, want.goal)
		if v.reached != want.reached || v.met() != want.met || want.where != "" && v.where != want.where {
			t.Errorf("%s: %+v, met %v; want %+v", want.goal, v, v.met(), want)
		}
	}
}

func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{1.234: "1.23", 9.999: "10.0", 12.34: "12.3", 99.99: "100", 1234: "1234"} {
		if got := digits(v); got != want {
			t.Errorf("digits(%v) = %s, want %s", v, got, want)
		}
	}
}
