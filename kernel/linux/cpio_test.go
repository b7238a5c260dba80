package linux

import (
	"fmt"
	"slices"
	"testing"
)

func TestFileAtWalksRegularFiles(t *testing.T) {
	b := archiveOf(t, []entryOf{
		{name: "d", mode: modeDir | 0o755}, {name: "d/a", data: "one"}, {name: "d/l", mode: modeLink | 0o777, data: "a"},
		{name: "d/empty"}, {name: "e", data: "four"},
	})
	walk := func(b []byte) (got []string) {
		for off := uint64(0); ; {
			name, data, next := FileAt(b, off)
			if name != nil {
				got = append(got, fmt.Sprintf("%s=%s", name, data))
			}
			if next == 0 {
				return got
			}
			if next <= off {
				t.Fatalf("from %d to %d", off, next)
			}
			off = next
		}
	}
	whole := []string{"d/a=one", "d/empty=", "e=four"}
	if got := walk(b); !slices.Equal(got, whole) {
		t.Errorf("got %q", got)
	}
	for n := range b { // cut anywhere: what is whole is found, nothing else
		got := walk(b[:n])
		if len(got) > len(whole) || !slices.Equal(got, whole[:len(got)]) {
			t.Fatalf("%d bytes: %q", n, got)
		}
	}
}
