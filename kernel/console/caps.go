package console

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The operator's view of capabilities, calls and their waits. Capabilities are named by slot and generation, never by the
// identifier, which would be as good as the capability to whoever reads along.

// Caps is capabilities, or the one that was revoked.
type Caps struct {
	Active       int          `json:"active"`   // that there are now
	Matching     int          `json:"matching"` // of these, by the filter
	Capabilities []Capability `json:"capabilities"`
	Revoked      string       `json:"revoked"`

	Slots       int    `json:"slots"`
	Derived     uint64 `json:"derived"`
	Granted     uint64 `json:"granted"`
	Narrowed    uint64 `json:"narrowed"`
	Transferred uint64 `json:"transferred"`
	Ended       uint64 `json:"ended"`
	GasMinted   uint64 `json:"gas_minted"`
	GasSpent    uint64 `json:"gas_spent"`
	GasTreasury uint64 `json:"gas_treasury"`

	Calls []GatedCall `json:"calls"`
}

// Capability is one that is active.
type Capability struct {
	ID          string `json:"id"`
	Parent      uint32 `json:"parent"`
	Depth       int    `json:"depth"`
	Space       uint32 `json:"space"`
	Type        string `json:"type"`
	Object      uint64 `json:"object"`
	Permissions string `json:"permissions"` // names, joined by |
	Asks        bool   `json:"asks"`
	ExpiresNS   uint64 `json:"expires_ns"`
	UsesLeft    int    `json:"uses_left"`
	Gas         uint64 `json:"gas"`
}

// GatedCall counts one of the gate's calls.
type GatedCall struct {
	Name    string `json:"name"`
	Count   uint64 `json:"count"`
	Refused uint64 `json:"refused"`
}

// mostCapabilities is how many caps lists.
const mostCapabilities = 1000

func runCaps(c *Call) (Result, error) {
	if c.Sys.Caps == nil || c.Sys.RevokeCap == nil {
		return nil, errMissing
	}
	if len(c.Args) > 0 && c.Args[0] == "revoke" {
		return revokeCap(c)
	}
	match, err := capFilter(c.Args)
	if err != nil {
		return nil, err
	}
	r := Caps{}
	all := c.Sys.Caps(func(k Capability) {
		if !match(&k) {
			return
		}
		if r.Matching++; r.Matching <= mostCapabilities {
			r.Capabilities = append(r.Capabilities, k)
		}
	})
	all.Matching, all.Capabilities = r.Matching, r.Capabilities
	return all, nil
}

// capFilter compiles a filter: each word must hold.
func capFilter(words []string) (func(*Capability) bool, error) {
	var tests []func(*Capability) bool
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "type":
			tests = append(tests, func(k *Capability) bool { return k.Type == value })
		case "space":
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("space %q is not a number", value)
			}
			tests = append(tests, func(k *Capability) bool { return k.Space == uint32(n) })
		case "perm":
			tests = append(tests, func(k *Capability) bool { return strings.Contains("|"+k.Permissions+"|", "|"+value+"|") })
		default:
			return nil, fmt.Errorf("filter %q is none of type=NAME, space=NUMBER, perm=NAME", w)
		}
	}
	return func(k *Capability) bool {
		for _, t := range tests {
			if !t(k) {
				return false
			}
		}
		return true
	}, nil
}

func revokeCap(c *Call) (Result, error) {
	if len(c.Args) != 2 {
		return nil, fmt.Errorf("revoke wants one capability, as SLOT:GENERATION")
	}
	slot, generation, _ := strings.Cut(c.Args[1], ":")
	s, err1 := strconv.ParseUint(slot, 10, 24)
	g, err2 := strconv.ParseUint(generation, 10, 40)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("capability %q is not of the form SLOT:GENERATION", c.Args[1])
	}
	if err := c.Sys.RevokeCap(uint32(s), g); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Args[1], err)
	}
	r := c.Sys.Caps(func(Capability) {})
	r.Revoked = c.Args[1]
	return r, nil
}

// usual is the permissions that every type of object knows, too long for a line.
const usual = "read|write|execute|delete|delegate|revoke|transfer|upgrade"

func (r Caps) Print(w io.Writer) {
	if r.Revoked != "" {
		fmt.Fprintf(w, "revoked %s; %d are active\n", r.Revoked, r.Active)
		return
	}
	var t table
	t.row("capability", "space", "type", "uses", "gas", "permissions")
	for _, k := range r.Capabilities {
		uses, gas := "-", "-"
		if k.UsesLeft >= 0 {
			uses = fmt.Sprint(k.UsesLeft)
		}
		if k.Gas > 0 {
			gas = fmt.Sprint(k.Gas)
		}
		permissions := strings.Replace(k.Permissions, usual, "all", 1)
		if k.ExpiresNS != 0 {
			permissions = "until " + seconds(k.ExpiresNS) + ": " + permissions
		}
		t.row(strings.Repeat("  ", min(k.Depth, 8))+k.ID, k.Space, k.Type, uses, gas, permissions)
	}
	t.print(w)
	if left := r.Matching - len(r.Capabilities); left > 0 {
		fmt.Fprintf(w, "and %d more\n", left)
	}
	fmt.Fprintf(w, "%d of %d active capabilities, %d slots; %d derived, %d ended\n", r.Matching, r.Active, r.Slots, r.Derived, r.Ended)
	fmt.Fprintf(w, "gas: %d minted, %d spent, %d in the treasury\n", r.GasMinted, r.GasSpent, r.GasTreasury)
}

// RCU is the grace periods of the kernel's read sections.
type RCU struct {
	GracePeriods uint64    `json:"grace_periods"`
	Stalls       uint64    `json:"stalls"`
	Readers      uint64    `json:"readers"`
	Pending      uint64    `json:"pending"`
	Ran          uint64    `json:"ran"`
	Latency      []Latency `json:"latency"`
}

// Latency counts what took less than a time and not less than the one before.
type Latency struct {
	BelowNS uint64 `json:"below_ns"`
	Count   uint64 `json:"count"`
}

func (r RCU) Print(w io.Writer) {
	fmt.Fprintf(w, "%d grace periods, %d held up for longer than a second\n", r.GracePeriods, r.Stalls)
	fmt.Fprintf(w, "%d read sections under way; callbacks: %d pending, %d have run\n", r.Readers, r.Pending, r.Ran)
	if len(r.Latency) == 0 {
		return
	}
	var t table
	t.row("took less than", "grace periods")
	for _, l := range r.Latency {
		t.row(fmt.Sprintf("%d ns", l.BelowNS), l.Count)
	}
	t.print(w)
}

// IPC is the endpoints.
type IPC struct {
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is one of them. Counters are since its creation.
type Endpoint struct {
	ID        uint64 `json:"id"`
	Owner     uint32 `json:"owner"`
	Capacity  int    `json:"capacity"`
	Depth     int    `json:"depth"`
	Senders   int    `json:"senders"`
	Receivers int    `json:"receivers"`
	Callers   int    `json:"callers"`
	Sent      uint64 `json:"sent"`
	Received  uint64 `json:"received"`
	Replied   uint64 `json:"replied"`
	Dropped   uint64 `json:"dropped"`
	Error     string `json:"error"`
}

func (r IPC) Print(w io.Writer) {
	if len(r.Endpoints) == 0 {
		fmt.Fprintln(w, "no endpoints")
		return
	}
	var t table
	t.row("endpoint", "space", "depth", "of", "senders", "receivers", "callers", "sent", "received", "state")
	for _, e := range r.Endpoints {
		state := "open"
		if e.Error != "" {
			state = e.Error
		}
		t.row(e.ID, e.Owner, e.Depth, e.Capacity, e.Senders, e.Receivers, e.Callers, e.Sent, e.Received, state)
	}
	t.print(w)
}
