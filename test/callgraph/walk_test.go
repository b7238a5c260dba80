package callgraph

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const program = `package main

import "sync"

var (
	words [64]uint64
	hook  = clean
	sink  *[64]uint64
	dict  = map[uint64]uint64{}
	pipe  = make(chan uint64, 1)
	mutex sync.Mutex
	text  string
)

type shape interface{ area(uint64) uint64 }
type square struct{}

func (square) area(x uint64) uint64 { return x * x }

var form shape = square{}

//go:noinline
func clean(x uint64) uint64 {
	for i := range words {
		words[i] += x * uint64(i)
	}
	copy(words[1:], words[:x&31])
	clear(words[x&7:])
	return words[x&63] / (x & 3)
}

//go:noinline
func table(x uint64) uint64 {
	switch x {
	case 0: return clean(9)
	case 1: return clean(7)
	case 2: words[1] = x
	case 3: words[2] = x
	case 4: return x + 17
	case 5: words[4] = 3
	case 6: return x ^ 5
	case 7: words[6]++
	case 8: words[7]--
	case 9: return words[9]
	}
	return x
}

//go:noinline
func allocates(x uint64) uint64 { sink = new([64]uint64); return x }

//go:noinline
func deep(x uint64) uint64 { return allocates(x) + 1 }

//go:noinline
func points(x uint64) uint64 { sink = &words; return x }

//go:noinline
func maps(x uint64) uint64 { return dict[x] }

//go:noinline
func sends(x uint64) uint64 { pipe <- x; return x }

//go:noinline
func locks(x uint64) uint64 { mutex.Lock(); defer mutex.Unlock(); return x }

//go:noinline
func joins(x uint64) uint64 { text += "x"; return x }

//go:noinline
func calls(x uint64) uint64 { return hook(x) + form.area(x) }

//go:noinline
func spawns(x uint64) uint64 { go clean(x); return x }

func main() {
	for _, f := range []func(uint64) uint64{clean, table, deep, points, maps, sends, locks, joins, calls, spawns} {
		f(1)
	}
	hook = table
}
`

// build links the program above once.
func build(t *testing.T) *image {
	t.Helper()
	dir := t.TempDir()
	src, out := filepath.Join(dir, "main.go"), filepath.Join(dir, "main")
	if err := os.WriteFile(src, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", out, src)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	img, err := load(out)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestWalk(t *testing.T) {
	img := build(t)
	list := func(sites int, targets ...string) []hooks {
		return []hooks{{"main.", map[string]int{"calls": sites}, targets}}
	}
	for _, c := range []struct {
		name, root string
		indirect   []hooks
		want       string // in the only complaint; "" for none
	}{
		{"clean", "main.clean", nil, ""},
		{"jump table", "main.table", nil, ""},
		{"allocation two calls away", "main.deep", nil, "reaches runtime.newobject: main.deep > main.allocates"},
		{"write barrier", "main.points", nil, "reaches runtime.gcWriteBarrier"},
		{"map", "main.maps", nil, "reaches runtime.mapaccess"},
		{"channel", "main.sends", nil, "reaches runtime.chansend"},
		{"mutex", "main.locks", nil, "reaches "},
		{"string", "main.joins", nil, "reaches runtime.concatstring"},
		{"goroutine", "main.spawns", nil, "reaches runtime.newproc"},
		{"unlisted call", "main.calls", nil, "unlisted: 2 indirect calls in main.calls"},
		{"listed call", "main.calls", list(2, "main.clean", "main.square.area"), ""},
		{"listed call that allocates", "main.calls", list(2, "main.deep"), "reaches runtime.newobject: main.calls > main.deep > main.allocates"},
		{"wrong count of sites", "main.calls", list(1, "main.clean"), "has 2 indirect calls, the table says 1"},
		{"target that is gone", "main.calls", list(2, "main.gone"), "stale: main.gone"},
		{"stale entry", "main.clean", list(2, "main.clean"), "stale: no indirect call is reached in main.calls"},
		{"root that is gone", "main.gone", nil, "root main.gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy{roots: []string{c.root}, cut: below.cut, forbidden: forbidden, indirect: c.indirect}
			wrong, reached := walk(img, p)
			if c.want == "" {
				if len(wrong) > 0 || reached < 2 {
					t.Errorf("reached %d functions, and complains:\n%s", reached, strings.Join(wrong, "\n"))
				}
				return
			}
			if !strings.Contains(strings.Join(wrong, "\n"), c.want) {
				t.Errorf("complaints %q lack %q", wrong, c.want)
			}
		})
	}
}

// TestDecodeWholeProgram disassembles every function of a linked program to
// its exact end, but for the few whose instructions x86asm does not know.
func TestDecodeWholeProgram(t *testing.T) {
	img := build(t)
	failed, tables := 0, 0
	for _, f := range img.functions {
		if _, err := img.decode(f); err != nil {
			failed++
			t.Log(err)
		}
		if strings.HasPrefix(f.name, "main.table") {
			tables++
			if e, err := img.decode(f); err != nil || e.indirect != 0 {
				t.Errorf("%s: %d indirect jumps, %v; its switch stays inside", f.name, e.indirect, err)
			}
		}
	}
	if failed*100 > len(img.functions) || tables == 0 {
		t.Errorf("%d of %d functions do not decode", failed, len(img.functions))
	}
}

func TestVEXLength(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want int
	}{
		{[]byte{0x90}, 0},
		{[]byte{0xc5, 0xf8, 0x77}, 3},                                            // VZEROUPPER
		{[]byte{0xc5, 0xfe, 0x6f, 0x06}, 4},                                      // VMOVDQU (SI), Y0
		{[]byte{0xc5, 0xfe, 0x6f, 0x4e, 0x20}, 5},                                // VMOVDQU 32(SI), Y1
		{[]byte{0xc4, 0xa1, 0x7e, 0x6f, 0xac, 0x1e, 0x60, 0xff, 0xff, 0xff}, 10}, // VMOVDQU -160(SI)(R11), Y5
		{[]byte{0xc5, 0xfd, 0xe7, 0x05, 0, 0, 0, 0}, 8},                          // VMOVNTDQ Y0, (RIP)
		{[]byte{0xc4, 0xe3, 0x7d, 0x39, 0xc8, 0x01}, 6},                          // VEXTRACTI128 $1, Y1, X0
		{[]byte{0xc5, 0xf9, 0x70, 0xc0, 0x4e}, 5},                                // VPSHUFD $0x4e, X0, X0
		{[]byte{0xc4, 0xe2, 0xfb, 0xf6, 0xc1}, 5},                                // MULX
		{[]byte{0xc4, 0xc1, 0x7e, 0x6f, 0x04, 0x25, 0, 0, 0, 0}, 10},             // absolute disp32
	} {
		if got := vexLength(c.code); got != c.want {
			t.Errorf("vexLength(% x) = %d, want %d", c.code, got, c.want)
		}
	}
}

func TestRDSEEDLength(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want int
	}{
		{[]byte{0x48, 0x0f, 0xc7, 0xf8}, 4}, // RDSEED RAX
		{[]byte{0x0f, 0xc7, 0xf9}, 3},       // RDSEED ECX
		{[]byte{0xf3, 0x0f, 0xc7, 0xf8}, 4}, // RDPID RAX
		{[]byte{0x48, 0x0f, 0xc7, 0xf0}, 0}, // RDRAND RAX: x86asm knows it
		{[]byte{0x48, 0x0f, 0xc7, 0x0e}, 0}, // CMPXCHG16B (RSI)
		{[]byte{0x48}, 0},
	} {
		if got := rdseedLength(c.code); got != c.want {
			t.Errorf("rdseedLength(% x) = %d, want %d", c.code, got, c.want)
		}
	}
}
