package linux

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

func TestUserCopyEveryLength(t *testing.T) {
	var src, dst [100]byte
	for i := range src {
		src[i] = byte(i + 1)
	}
	for n := range uint64(len(src)) {
		dst = [100]byte{}
		if !copyOut(addressOf(&dst), unsafe.Pointer(&src), n) {
			t.Fatal("copyOut failed")
		}
		if !bytes.Equal(dst[:n], src[:n]) || dst[n] != 0 {
			t.Fatalf("copyOut of %d bytes wrote %v", n, dst)
		}
		dst = [100]byte{}
		if !copyIn(unsafe.Pointer(&dst), addressOf(&src), n) || !bytes.Equal(dst[:n], src[:n]) || dst[n] != 0 {
			t.Fatalf("copyIn of %d bytes wrote %v", n, dst)
		}
	}
}

func TestUserWords(t *testing.T) {
	w, a := words(3)
	if !store64(a, 0x1122334455667788) || !store32(a+8, 0x99aabbcc) {
		t.Fatal("store failed")
	}
	if v, ok := load64(a); !ok || v != 0x1122334455667788 {
		t.Errorf("load64 = %#x, %v", v, ok)
	}
	if v, ok := load32(a + 4); !ok || v != 0x11223344 {
		t.Errorf("load32 = %#x, %v", v, ok)
	}
	if w[1] != 0x99aabbcc {
		t.Errorf("store32 wrote %#x", w[1])
	}
	if !zeroUser(a, 16) || w[0] != 0 || w[1] != 0 {
		t.Errorf("zeroUser left %#x", w)
	}
}

func TestUserAddressesOutsideTheProgram(t *testing.T) {
	var b [8]byte
	for _, a := range []uint64{0, 8, userMin - 1, userEnd, 1 << 63, ^uint64(0), 0xffff_8000_0000_0000, 0xffff_a000_0000_0000} {
		if copyIn(unsafe.Pointer(&b), a, 8) || copyOut(a, unsafe.Pointer(&b), 8) || zeroUser(a, 8) ||
			store32(a, 0) || store64(a, 0) {
			t.Errorf("%#x is taken for an address of the program", a)
		}
		if _, ok := load32(a); ok {
			t.Errorf("load32(%#x) succeeds", a)
		}
		if _, ok := load64(a); ok {
			t.Errorf("load64(%#x) succeeds", a)
		}
	}
	if userRange(userEnd-8, 9) || userRange(1<<20, ^uint64(0)) || !userRange(userEnd-8, 8) {
		t.Error("userRange does not see the end")
	}
}

// Fixup must cover each routine, and send it to the landing, whose result lies where theirs does.
func TestFixupCoversTheRoutines(t *testing.T) {
	first, landing := userText()
	if landing <= first || landing-first > 1024 {
		t.Fatalf("routines at %#x..%#x: the linker did not keep them together", first, landing)
	}
	for rip := uint64(first); rip < uint64(landing); rip++ {
		if to, ok := Fixup(rip); !ok || to != uint64(landing) {
			t.Fatalf("Fixup(%#x) = %#x, %v", rip, to, ok)
		}
	}
	for _, rip := range []uint64{0, uint64(first) - 1, uint64(landing), uint64(landing) + 4096} {
		if _, ok := Fixup(rip); ok {
			t.Errorf("Fixup takes %#x", rip)
		}
	}
	if userFault(0, 0, 0) {
		t.Error("the landing says that all went well")
	}
	first, landing = wordText()
	if landing <= first || landing-first > 64 {
		t.Fatalf("userWordAt at %#x..%#x: the linker did not keep it and its landing together", first, landing)
	}
	for rip := uint64(first); rip < uint64(landing); rip++ {
		if to, ok := Fixup(rip); !ok || to != uint64(landing) {
			t.Fatalf("Fixup(%#x) = %#x, %v", rip, to, ok)
		}
	}
	word := uint32(0x12345678)
	if v, ok := wordFunc()(addressOf(&word)); !ok || v != word {
		t.Errorf("the word %#x is read as %#x, %v", word, v, ok)
	}
}

// A real page fault in a routine: the CPU must be between its bounds, or Fixup would not know it.
func TestFixupKnowsWhereTheyFault(t *testing.T) {
	var b [8]byte
	for name, touch := range map[string]func(a uint64){
		"userRead":    func(a uint64) { userRead(unsafe.Pointer(&b), a, 8) },
		"userWrite":   func(a uint64) { userWrite(a, unsafe.Pointer(&b), 8) },
		"userZero":    func(a uint64) { userZero(a, 8, 0) },
		"userLoad32":  func(a uint64) { userLoad32(a, 0, 0) },
		"userLoad64":  func(a uint64) { userLoad64(a, 0, 0) },
		"userStore32": func(a uint64) { userStore32(a, 0, 0) },
		"userStore64": func(a uint64) { userStore64(a, 0, 0) },
		"userWordAt":  func(a uint64) { wordFunc()(a) },
	} {
		if pc := faultPC(t, touch); pc == 0 {
			t.Errorf("%s: no fault", name)
		} else if _, ok := Fixup(uint64(pc)); !ok {
			t.Errorf("%s faults at %#x, which Fixup does not know", name, pc)
		}
	}
}

// faultPC calls touch with an address of the first page and returns where it faulted.
func faultPC(t *testing.T, touch func(a uint64)) (pc uintptr) {
	defer func() {
		if recover() == nil {
			t.Fatal("no fault")
		}
		pcs := make([]uintptr, 32)
		frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
		for {
			f, more := frames.Next()
			if strings.Contains(f.Function, "linux.user") {
				pc = f.PC
				return
			}
			if !more {
				t.Fatal("no routine on the stack")
			}
		}
	}()
	touch(8)
	return 0
}
