package boot

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSpaces asks the console for the calls that the image saw refused.
func TestSpaces(t *testing.T) {
	Need(t)
	for _, c := range []struct {
		cpus  int
		debug string // labels in tracebacks, or not
	}{{1, "0"}, {2, "1"}} {
		t.Run(strconv.Itoa(c.cpus), func(t *testing.T) {
			keys, typing := io.Pipe()
			defer time.AfterFunc(time.Minute, func() { typing.Close() }).Stop() // Boot waits for the end of its input
			r := Boot(t, Options{Image: "./test/images/spaces", CPUs: c.cpus, Nodes: 1, Append: "env.GODEBUG=tracebacklabels=" + c.debug,
				Input: keys, Line: func(line string) {
					if strings.Contains(line, "all as it should be") {
						go func() {
							io.WriteString(typing, "syscalls -j\npoweroff 3\n")
							typing.Close()
						}()
					}
				}})
			r.Want(t, 3, "AfterFunc writes to the console")
			var s struct {
				Syscalls []struct {
					Number         int
					Name           string
					Count, Refused uint64
				}
			}
			r.JSON(t, "syscalls", &s)
			refused := map[int]string{0: "read", 5: "fstat", 80: "chdir", 257: "openat", 262: "newfstatat", 510: "IRQWait", 511: "Crash and MapDevice"}
			for _, c := range s.Syscalls {
				if c.Refused > c.Count || (c.Refused > 0) != (refused[c.Number] != "") {
					t.Errorf("call %d %s: %d of %d were refused; some should be: %v", c.Number, c.Name, c.Refused, c.Count, refused[c.Number] != "")
				}
				delete(refused, c.Number)
			}
			if len(refused) != 0 {
				t.Errorf("not made: %v", refused)
			}
		})
	}
}
