package gate_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	. "pdac/kernel/gate"
)

const here = "pdac/kernel/gate_test."

// TestSectionsAreNamedByTheProgram: on whichever way a call begins its section, that is known by who called
// the gate, and not by a function of the gate.
func TestSectionsAreNamedByTheProgram(t *testing.T) {
	var names []string
	OpenNaming(t, func(s string) { names = append(names, s) })
	root := Root()
	e, err := EndpointCreate(root.Endpoints, EndpointOptions{})
	space, err2 := NewSpace(root.Spaces, Authority{})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for name, call := range map[string]func(){
		"ConsoleWrite":      func() { ConsoleWrite(root.Console, []byte("x")) },
		"TimeNow":           func() { TimeNow(root.Clock) },
		"MemoryMap":         func() { MemoryMap(root.Memory, 1) },
		"LogAppend":         func() { LogAppend(root.Log, LevelDebug, "x") },
		"StatsRead":         func() { StatsRead(root.Stats) },
		"TaskInfo":          func() { TaskInfo(root.Task) },
		"TaskSleep":         func() { TaskSleep(root.Task, 1) },
		"TimerCreate":       func() { TimerCreate(root.Clock, 0, 0) },
		"EndpointTrySend":   func() { EndpointTrySend(e, new(Message)) },
		"EndpointTryRecv":   func() { EndpointTryRecv(e, new(Message)) },
		"EndpointSend":      func() { EndpointSend(e, nil, new(Message)) },
		"EndpointRecv":      func() { EndpointTrySend(e, new(Message)); EndpointRecv(e, nil, new(Message)) },
		"EndpointReply":     func() { EndpointReply(e, 1, new(Message)) },
		"EndpointReplyRecv": func() { EndpointTrySend(e, new(Message)); EndpointReplyRecv(e, nil, 0, new(Message)) },
		"Run":               func() { Run(space, func() {}) },
		"PowerOff":          func() { PowerOff(root.Power, 0) },
	} {
		names = nil
		call()
		if len(names) == 0 {
			t.Errorf("%s: no section", name)
		}
		for _, s := range names {
			if !strings.Contains(s, "begun in "+here) {
				t.Errorf("%s: %s", name, s)
			}
		}
	}
}

// asked is a context that says in which section it is asked.
type asked struct {
	context.Context
	sections chan string
}

func (a asked) Err() error {
	if s := Section(); s != "" {
		a.sections <- s
	}
	return a.Context.Err()
}

// TestSectionAfterAWait: the section that begins then, by way of package ipc, is named like the first.
func TestSectionAfterAWait(t *testing.T) {
	OpenNaming(t, func(string) {})
	e, err := EndpointCreate(Root().Endpoints, EndpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	inner, cancel := context.WithCancel(context.Background())
	ctx := asked{inner, make(chan string, 100)}
	received := make(chan error)
	go func() { received <- Recv(e, ctx) }()
	for Receivers() == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-received; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(ctx.sections)
	n := 0
	for s := range ctx.sections {
		n++
		if !strings.Contains(s, "begun in "+here) {
			t.Error(s)
		}
	}
	if n == 0 {
		t.Error("not asked after the wait")
	}
}
