package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"pdac/kernel/space"
)

// profiles checks that labels are in profiles, and nothing that stands for a space.
func profiles() {
	in(reader, func() {
		pprof.Do(context.Background(), pprof.Labels("kind", "labelled"), func(context.Context) {
			cpuProfile()
			goroutineProfile()
			traceback()
		})
	})
}

var sum atomic.Uint64

// cpuProfile takes CPU profiles of what it does itself until a sample has the label.
func cpuProfile() {
	for try := 0; ; try++ {
		var b bytes.Buffer
		if err := pprof.StartCPUProfile(&b); err != nil {
			check(false, "StartCPUProfile: %v", err)
			return
		}
		for start := time.Now(); time.Since(start) < 200*time.Millisecond; {
			sum.Add(1)
		}
		pprof.StopCPUProfile()
		text := unpack(b.Bytes())
		if bytes.Contains(text, []byte("kind")) && bytes.Contains(text, []byte("labelled")) {
			check(!bytes.Contains(text, []byte("pdac.space")), "a CPU profile has a label for the space")
			return
		}
		if try == 20 {
			check(false, "no sample of %d CPU profiles has the label", try)
			return
		}
	}
}

func unpack(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	check(err == nil, "profile: %v", err)
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(z)
	check(err == nil, "profile: %v", err)
	return text
}

func goroutineProfile() {
	stop := make(chan bool)
	started := make(chan bool)
	go func() {
		started <- true
		<-stop
	}()
	go func() {
		space.Set(nobody) // a space and no labels
		pprof.SetGoroutineLabels(context.Background())
		started <- true
		<-stop
	}()
	<-started
	<-started
	var text, proto bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&text, 1)
	pprof.Lookup("goroutine").WriteTo(&proto, 0)
	close(stop)
	check(strings.Contains(text.String(), `# labels: {"kind":"labelled"}`), "the goroutine profile lacks the label:\n%s", text.String())
	check(!strings.Contains(text.String(), "# labels: {}"), "the goroutine profile shows empty labels:\n%s", text.String())
	check(bytes.Contains(unpack(proto.Bytes()), []byte("labelled")), "the goroutine profile in protobuf lacks the label")
}

// traceback looks for the label in a traceback, where GODEBUG says so.
func traceback() {
	b := make([]byte, 64<<10)
	b = b[:runtime.Stack(b, false)]
	on := strings.Contains(os.Getenv("GODEBUG"), "tracebacklabels=1")
	has := bytes.Contains(b, []byte("labels:{kind: labelled}")) || bytes.Contains(b, []byte(`labels:{"kind": "labelled"}`))
	check(on == has, "labels in a traceback: %v, want %v:\n%s", has, on, b)
}
