package boot

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestGate asks the console about the capabilities of the image, and revokes the one that it waits with.
func TestGate(t *testing.T) {
	Need(t)
	for _, c := range []struct {
		cpus   int
		append string
	}{{1, ""}, {2, "rcu.track"}} {
		t.Run(strconv.Itoa(c.cpus), func(t *testing.T) {
			keys, typing := io.Pipe()
			defer time.AfterFunc(time.Minute, func() { typing.Close() }).Stop() // Boot waits for the end of its input
			var list struct {
				Matching     int
				Capabilities []struct {
					ID, Type, Permissions string
					Depth                 int
					Space                 uint32
				}
			}
			r := Boot(t, Options{Image: "./test/images/gate", CPUs: c.cpus, Nodes: 1, Append: c.append, Timeout: time.Minute,
				Input: keys, Line: func(line string) {
					if strings.Contains(line, "all as it should be") {
						go io.WriteString(typing, "caps; rcu -j; ipc -j; caps revoke 0:1; caps -j type=endpoint\n")
					}
					if _, object, ok := strings.Cut(line, `{"active":`); ok && list.Matching == 0 {
						if json.Unmarshal([]byte(`{"active":`+object), &list) == nil && len(list.Capabilities) == 1 {
							go func() {
								io.WriteString(typing, "caps revoke "+list.Capabilities[0].ID+"\n")
								typing.Close()
							}()
						}
					}
				}})
			r.Want(t, 3, "AfterFunc writes to the console", "a cleanup writes to the console", "a finalizer writes to the console",
				"through the gate", "caps: 0:1: cap: no such capability", "the operator has revoked the endpoint", "space 1: a record of the program's")
			if list.Matching != 1 || list.Capabilities[0].Type != "endpoint" || list.Capabilities[0].Space != 1 || list.Capabilities[0].Depth != 0 {
				t.Errorf("caps -j: %+v", list)
			}
			var rcu struct {
				GracePeriods uint64 `json:"grace_periods"`
				Latency      []struct{ Count uint64 }
			}
			r.JSON(t, "grace_periods", &rcu)
			sum := uint64(0)
			for _, l := range rcu.Latency {
				sum += l.Count
			}
			if rcu.GracePeriods == 0 || sum == 0 {
				t.Errorf("rcu -j: %+v", rcu)
			}
			var ipc struct {
				Endpoints []struct{ Capacity, Receivers int }
			}
			r.JSON(t, "endpoints", &ipc)
			if len(ipc.Endpoints) != 1 || ipc.Endpoints[0].Capacity != 5 || ipc.Endpoints[0].Receivers != 1 {
				t.Errorf("ipc -j: %+v", ipc)
			}
		})
	}
}

// TestConsoleRead types lines to a program that has the console's line to itself.
func TestConsoleRead(t *testing.T) {
	Need(t)
	keys, typing := io.Pipe()
	defer time.AfterFunc(time.Minute, func() { typing.Close() }).Stop()
	r := Boot(t, Options{Image: "./test/images/gate", CPUs: 2, Nodes: 1, Append: "console=off -- typed", Timeout: time.Minute,
		Input: keys, Line: func(line string) {
			switch {
			case strings.Contains(line, "reading a line"):
				go io.WriteString(typing, "caps; not a command\n")
			case strings.Contains(line, "reading another line"):
				go func() {
					io.WriteString(typing, "the second\n")
					typing.Close()
				}()
			}
		}})
	r.Want(t, 3, `read "caps; not a command\n"`, `read "the second\n"`)
}

// TestExampleCaps compares what the example prints with the README's transcript.
func TestExampleCaps(t *testing.T) {
	Need(t)
	r := Boot(t, Options{Image: "./examples/caps", CPUs: 2, Nodes: 1})
	r.Want(t, 0, transcript(t)...)
}

// transcript returns the lines of the README that show the example's output.
func transcript(t *testing.T) (lines []string) {
	text, err := os.ReadFile(filepath.Join(Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if len(line) > 37 && (strings.HasPrefix(line[36:], " yes") || strings.HasPrefix(line[36:], " no: ")) {
			lines = append(lines, line+"\n")
		}
	}
	if len(lines) < 8 {
		t.Fatalf("README.md has %d lines of the transcript", len(lines))
	}
	return lines
}
