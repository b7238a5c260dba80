package ipc

import (
	"testing"
)

func BenchmarkCallReply(b *testing.B)     { benchmarkCalls(b, serve) }
func BenchmarkCallReplyRecv(b *testing.B) { benchmarkCalls(b, turns) }

func benchmarkCalls(b *testing.B, serve func(*Endpoint) error) {
	e := endpoint(b, Options{})
	go serve(e)
	var m, r Message
	m.Put([]byte("a request of some length"))
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Call(nil, nil, 0, &m, &r); err != nil {
			b.Fatal(err)
		}
	}
	e.Kill(nil)
}

func BenchmarkSendRecv(b *testing.B) {
	e := endpoint(b, Options{})
	var m Message
	b.ReportAllocs()
	for b.Loop() {
		e.TrySend(&m)
		e.TryRecv(&m)
	}
}

// BenchmarkChannels is what the same costs between two goroutines with nothing but channels.
func BenchmarkChannels(b *testing.B) {
	to, from := make(chan Message), make(chan Message)
	go func() {
		for m := range to {
			from <- m
		}
	}()
	var m Message
	for b.Loop() {
		to <- m
		m = <-from
	}
	close(to)
}
