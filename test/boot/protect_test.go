package boot

import (
	"fmt"
	"strings"
	"testing"
)

// TestProtections has a program try what the page tables are to allow and forbid.
func TestProtections(t *testing.T) {
	Need(t)
	r := Boot(t, Options{Image: "./test/images/protect", CPUs: 2, Nodes: 1, Mem: "512M", Append: "console=off"})
	r.Want(t, 0)
	const nilPanic = "runtime error: invalid memory address or nil pointer dereference"
	want := map[string]string{
		"read text": "ok", "write text": "fault", "execute text": "ok",
		"read constant": "ok", "write constant": "fault", "execute constant": "fault",
		"write variable": "ok", "execute variable": "fault",
		"write heap": "ok", "execute heap": "fault",
		"read direct map of text": "ok", "write direct map of text": "fault", "execute direct map of text": "fault",
		"write direct map of constant": "fault", "write direct map of variable": "ok",
		"read page 0": nilPanic, "read page 1": "fault", "read firmware": "fault", "read RAM below the image": "fault",
		"read the entry's tables": "fault", "read RAM above the image": "fault", "read no RAM": "fault", "read no kernel memory": "fault",
		"read PROT_NONE": "fault", "write PROT_NONE": "fault", "execute PROT_NONE": "fault",
		"read PROT_READ": "ok", "write PROT_READ": "fault", "execute PROT_READ": "fault",
		"read PROT_WRITE": "ok", "write PROT_WRITE": "ok", "execute PROT_WRITE": "fault",
		"read PROT_EXEC": "ok", "write PROT_EXEC": "fault", "execute PROT_EXEC": "ok",
		"read PROT_NONE again": "fault", "write PROT_NONE again": "fault", "execute PROT_NONE again": "fault",
		"read unmapped": "fault",
	}
	for _, p := range []string{"PROT_NONE", "PROT_READ", "PROT_WRITE", "PROT_EXEC", "PROT_NONE again"} {
		want["read beside "+p] = "fault"
	}
	for i := range 5 {
		want[fmt.Sprintf("read guard of stack %d", i)] = "fault"
		want[fmt.Sprintf("read end of guard of stack %d", i)] = "fault"
		want[fmt.Sprintf("read bottom of stack %d", i)] = "ok"
		want[fmt.Sprintf("read top of stack %d", i)] = "ok"
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(r.Output) {
		name, got, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if w := want[name]; ok && w != "" {
			seen[name] = true
			if got != w {
				t.Errorf("%s: %s, want %s", name, got, w)
			}
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("%s was not tried", name)
		}
	}
}
