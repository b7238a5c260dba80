package linux

import (
	"fmt"
	"slices"
	"strconv"
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

// hex8 takes what strconv takes of 8 bytes that are all digits, and nothing else.
func TestHex8AcceptsDigitsOnly(t *testing.T) {
	r := rng(5)
	for at := range 8 {
		for c := range 256 {
			b := []byte("09afAF5c")
			for i := range b {
				b[i] = "0123456789abcdefABCDEF"[r.IntN(22)]
			}
			b[at] = byte(c)
			want, err := strconv.ParseUint(string(b), 16, 32)
			sign := c == '+' || c == '-' || c == '_'
			if got, ok := hex8(b); ok != (err == nil && !sign) || ok && uint64(got) != want {
				t.Errorf("%q: %#x, %v; want %#x, %v", b, got, ok, want, err)
			}
		}
	}
}
