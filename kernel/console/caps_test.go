package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// withCaps gives a machine some capabilities.
func withCaps(sys System, revoked *string) System {
	sys.Caps = func(f func(Capability)) Caps {
		f(Capability{ID: "1:1", Space: 1, Type: "clock", Permissions: "read|write|delegate", UsesLeft: -1})
		f(Capability{ID: "12:3", Parent: 1, Depth: 1, Space: 4, Type: "clock", Permissions: "read", Asks: true, ExpiresNS: 2_500_000_000, UsesLeft: 7, Gas: 90})
		f(Capability{ID: "2:1", Space: 1, Type: "files", Permissions: "readable", UsesLeft: -1})
		return Caps{Active: 3, Slots: 1024, Derived: 1, GasMinted: 100, GasSpent: 10, Calls: []GatedCall{{"time.now", 5, 1}}}
	}
	sys.RevokeCap = func(slot uint32, generation uint64) error {
		if slot != 12 || generation != 3 {
			return errors.New("no such capability")
		}
		*revoked = fmt.Sprint(slot, ":", generation)
		return nil
	}
	sys.RCU = func() RCU { return RCU{GracePeriods: 3, Ran: 2, Latency: []Latency{{1024, 2}, {2048, 1}}} }
	sys.IPC = func() IPC {
		return IPC{[]Endpoint{{ID: 0, Owner: 4, Capacity: 16, Depth: 2, Receivers: 1, Sent: 9, Received: 7}}}
	}
	return sys
}

func TestCaps(t *testing.T) {
	var revoked string
	sys := withCaps(System{}, &revoked)
	head := "capability  space  type   uses  gas  permissions\n"
	one := "1:1             1  clock     -    -  read|write|delegate\n"
	two := "  12:3          4  clock     7   90  until 2.500 s: read\n"
	for cmd, want := range map[string]string{
		"caps":                        head + one + two + "2:1             1  files     -    -  readable\n3 of 3 active capabilities, 1024 slots; 1 derived, 0 ended\n",
		"caps type=clock":             head + one + two + "2 of 3 active",
		"caps type=clock space=1":     "       1:1      1  clock     -    -  read|write|delegate\n1 of 3 active",
		"caps perm=read":              head + one + two + "2 of 3 active",
		"caps perm=write":             "1 of 3 active",
		"caps type=nothing":           "0 of 3 active",
		"caps space=x":                "caps: space \"x\" is not a number\n",
		"caps all":                    "caps: filter \"all\" is none of type=NAME, space=NUMBER, perm=NAME\n",
		"caps revoke":                 "caps: revoke wants one capability, as SLOT:GENERATION\n",
		"caps revoke 12":              "caps: capability \"12\" is not of the form SLOT:GENERATION\n",
		"caps revoke 12:x":            "caps: capability \"12:x\" is not of the form SLOT:GENERATION\n",
		"caps revoke 99999999999:1":   "caps: capability \"99999999999:1\" is not of the form SLOT:GENERATION\n",
		"caps revoke 12:4":            "caps: 12:4: no such capability\n",
		"caps revoke 12:3":            "revoked 12:3; 3 are active\n",
		"rcu":                         "3 grace periods, 0 held up for longer than a second\n0 read sections under way; callbacks: 0 pending, 2 have run\ntook less than  grace periods\n       1024 ns  2\n       2048 ns  1\n",
		"ipc":                         "endpoint  space  depth  of  senders  receivers  callers  sent  received  state\n       0      4      2  16        0          1        0     9         7  open\n",
		"caps revoke 12:3 space=4 -j": `{"error":"caps: revoke wants one capability, as SLOT:GENERATION"}` + "\n",
	} {
		if got := exec(t, sys, cmd); !strings.Contains(got, want) {
			t.Errorf("%s printed\n%s\nwant\n%s", cmd, got, want)
		}
	}
	if revoked != "12:3" {
		t.Errorf("%q was revoked", revoked)
	}
	var r Caps
	if err := json.Unmarshal([]byte(exec(t, sys, "caps space=4 -j")), &r); err != nil || len(r.Capabilities) != 1 || r.Capabilities[0].ID != "12:3" || r.Matching != 1 || len(r.Calls) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestManyCaps: what would fill the screen for ever is counted.
func TestManyCaps(t *testing.T) {
	sys := System{
		Caps: func(f func(Capability)) Caps {
			for i := range 5000 {
				f(Capability{ID: fmt.Sprint(i, ":1"), Depth: i, Type: "log", Permissions: strings.Repeat("permission|", 20)})
			}
			return Caps{Active: 5000}
		},
		RevokeCap: func(uint32, uint64) error { return nil },
	}
	got := exec(t, sys, "caps")
	if !strings.Contains(got, "and 4000 more\n5000 of 5000 active") {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
	for l := range strings.Lines(got) {
		if len(l) > columns+1 {
			t.Errorf("a line of %d columns", len(l))
		}
	}
}
