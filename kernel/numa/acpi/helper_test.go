package acpi

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

var (
	root     = filepath.Join("..", "..", "..")
	testdata = filepath.Join(root, "test", "testdata", "acpi") // QEMU's machines, from TestCapture
)

// expect fails unless the report has exactly these messages.
func expect(t *testing.T, r *Report, messages ...string) {
	t.Helper()
	var got []string
	for i := range r.All() {
		got = append(got, r.Problems[i].String())
	}
	if !slices.Equal(got, messages) {
		t.Errorf("problems:\n  %s\nexpected:\n  %s", strings.Join(got, "\n  "), strings.Join(messages, "\n  "))
	}
}

// cut returns b without its last n bytes, with a true length and checksum.
func cut(b []byte, n int) []byte { return build.Seal(slices.Clone(b[:len(b)-n])) }

// with returns b with other bytes at off, and a true checksum.
func with(b []byte, off int, bytes ...byte) []byte {
	b = slices.Clone(b)
	copy(b[off:], bytes)
	return build.Resum(b, 9)
}

// parse runs a parser, expects its messages and returns what it filled in.
func parse[T any](t *testing.T, f func([]byte, *T, *Report) bool, b []byte, messages []string) *T {
	t.Helper()
	var out T
	var r Report
	f(b, &out, &r)
	expect(t, &r, messages...)
	return &out
}
