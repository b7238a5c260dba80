package board

import (
	"bytes"
	"testing"
)

// TestPatchCalls: each WRFSBASE becomes a call of what lies behind the text, and
// nothing else changes.
func TestPatchCalls(t *testing.T) {
	insn := wrfsbase[:]
	other := []byte{0xf3, 0x48, 0x0f, 0xae, 0xd1} // WRFSBASE RCX
	text := bytes.Join([][]byte{insn, other, {0x90}, insn, insn[:4], {0x90}, insn}, nil)
	before := bytes.Clone(text)
	if n := patchCalls(text); n != 3 {
		t.Fatalf("%d patched, want 3", n)
	}
	for i := 0; i < len(text); {
		if bytes.HasPrefix(before[i:], insn) {
			rel := int(text[i+1]) | int(text[i+2])<<8 | int(text[i+3])<<16 | int(text[i+4])<<24
			if text[i] != callRel32 || i+5+rel != len(text) {
				t.Errorf("at %d: % x", i, text[i:i+5])
			}
			i += 5
			continue
		}
		if text[i] != before[i] {
			t.Errorf("byte %d is %#x, was %#x", i, text[i], before[i])
		}
		i++
	}
}
