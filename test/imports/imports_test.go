package imports

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pdac/test/boot"
)

const boardPath = "pdac/board/qemu-amd64"

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath, Dir, Name, Export               string
	GoFiles, Imports, TestImports, XTestImports []string
	Error                                       *struct{ Err string }
}

// list returns the packages of these patterns, as an image contains them.
func list(t *testing.T, args ...string) (pkgs []pkg) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e", "-json", "-tags", "pdac"}, args...)...)
	cmd.Dir = boot.Root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%v\n%s", err, exit.Stderr)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// rooms reads the order of packages out of DESIGN.md: kernel to klog, then asm.
func rooms(t *testing.T) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(boot.Root(t), "docs/DESIGN.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var order []string
	room := regexp.MustCompile(`^(kernel/[\w/]*?)/?\s`)
	for s := bufio.NewScanner(f); s.Scan(); {
		if m := room.FindStringSubmatch(s.Text()); m != nil {
			order = append(order, "pdac/"+strings.TrimSuffix(m[1], "/"))
		}
	}
	if len(order) < 10 || order[0] != "pdac/kernel" || order[len(order)-1] != "pdac/kernel/klog" {
		t.Fatalf("rooms of DESIGN.md: %v; want those from kernel to kernel/klog", order)
	}
	return append(order, "pdac/asm")
}

// rank is the place in order of the room that a package belongs to: itself or
// the innermost folder around it. -1: in none.
func rank(order []string, path string) int {
	best := -1
	for i, r := range order {
		if (path == r || strings.HasPrefix(path, r+"/")) && (best < 0 || len(r) > len(order[best])) {
			best = i
		}
	}
	return best
}

// upward returns the imports of a package that lead to an earlier room.
func upward(order []string, p pkg) (bad []string) {
	from := rank(order, p.ImportPath)
	for _, to := range p.Imports {
		if r := rank(order, to); r >= 0 && r < from {
			bad = append(bad, to)
		}
	}
	return bad
}

func TestOrder(t *testing.T) {
	order := rooms(t)
	for _, p := range list(t, "./kernel/...", "./asm/...") {
		for _, to := range upward(order, p) {
			t.Errorf("%s imports %s, which DESIGN.md puts before it", p.ImportPath, to)
		}
	}
}

func TestOrderRule(t *testing.T) {
	order := []string{"pdac/kernel", "pdac/kernel/linux", "pdac/kernel/numa", "pdac/asm"}
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"pdac/kernel/linux", "pdac/kernel/numa", true},
		{"pdac/kernel/numa", "pdac/kernel/linux", false},
		{"pdac/kernel/numa", "pdac/kernel", false},
		{"pdac/kernel/numa", "pdac/kernel/numa/acpi", true},
		{"pdac/kernel/numa/acpi", "pdac/kernel/linux", false},
		{"pdac/asm", "pdac/kernel/numa", false},
		{"pdac/kernel/linux", "pdac/asm", true},
		{"pdac/kernel/linux", "pdac/kernel/new", false}, // an unlisted room is kernel's own
		{"pdac/kernel/linux", "unsafe", true},
	} {
		bad := upward(order, pkg{ImportPath: c.from, Imports: []string{c.to}})
		if (len(bad) == 0) != c.ok {
			t.Errorf("%s imports %s: allowed is %v, want %v", c.from, c.to, len(bad) == 0, c.ok)
		}
	}
}

// TestNoHardware: what is under kernel/ knows the machine by Hardware only,
// its tests too.
func TestNoHardware(t *testing.T) {
	foreign := func(path string) bool {
		return strings.HasPrefix(path, "pdac/board/") || strings.HasPrefix(path, "github.com/usbarmory/tamago")
	}
	for _, p := range list(t, "-deps", "./kernel/...", "./asm/...") {
		if foreign(p.ImportPath) {
			t.Errorf("something under kernel/ or asm/ depends on %s", p.ImportPath)
		}
	}
	for _, p := range list(t, "./kernel/...", "./asm/...") {
		for _, to := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if foreign(to) {
				t.Errorf("%s imports %s", p.ImportPath, to)
			}
		}
	}
}

var (
	namesWorld = regexp.MustCompile(`(?i)\b(below|above|both)\b`)
	namesBelow = regexp.MustCompile(`(?i)\b(below|both)\b`)
)

// world returns what the comment of a package says, all files together.
func world(t *testing.T, p pkg) string {
	t.Helper()
	var doc strings.Builder
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		doc.WriteString(f.Doc.Text())
	}
	return doc.String()
}

// below returns the packages that run below the runtime, by their own word.
func below(t *testing.T) (pkgs []pkg) {
	for _, p := range list(t, "-export", "./kernel/...", "./asm/...") {
		if strings.HasSuffix(p.Name, "test") { // helps tests only
			continue
		}
		if p.Error != nil {
			t.Errorf("%s: %s", p.ImportPath, p.Error.Err)
			continue
		}
		doc := world(t, p)
		if !namesWorld.MatchString(doc) {
			t.Errorf("%s does not say which world it serves", p.ImportPath)
		}
		if namesBelow.MatchString(doc) {
			pkgs = append(pkgs, p)
		}
	}
	return pkgs
}

// TestNoInitCompiled looks into what the compiler made of each package: traps
// come before initialisers run, so there must be none.
func TestNoInitCompiled(t *testing.T) {
	for _, p := range below(t) {
		for _, s := range initialisers(p.ImportPath, symbols(t, p.Export)) {
			t.Errorf("%s: init code in a package below the runtime (an init function, or a variable whose value takes code)", s)
		}
	}
}

// TestNoInitLinked looks for the same in an image, where the board is too. It
// may have init functions, which start the world above, but no variables that
// take code.
func TestNoInitLinked(t *testing.T) {
	file := os.Getenv("PDAC_ELF")
	if file == "" {
		boot.Need(t)
		file = boot.Image(t, ".")
	}
	syms := symbols(t, file)
	if !slices.Contains(syms, boardPath+".Entry") {
		t.Fatalf("%s has no board", file)
	}
	for _, p := range below(t) {
		for _, s := range initialisers(p.ImportPath, syms) {
			t.Errorf("%s is in the image", s)
		}
	}
	function := regexp.MustCompile(`\.init\.\d+(\.|$)`)
	for _, s := range initialisers(boardPath, syms) {
		if !function.MatchString(s) {
			t.Errorf("%s is in the image", s)
		}
	}
}

// symbols returns the names of code in a package or program, without functions
// of one byte: where the compiler could set every variable of a package
// beforehand it leaves an init that only returns, and nothing calls it.
func symbols(t *testing.T, file string) (names []string) {
	t.Helper()
	out, err := exec.Command("go", "tool", "nm", "-size", file).Output()
	if err != nil {
		t.Fatalf("go tool nm %s: %v", file, err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line) // address, size, kind, name
		if len(f) >= 4 && f[2] == "T" && f[1] != "1" {
			names = append(names, strings.Join(f[3:], " "))
		}
	}
	return names
}

// initialisers picks the functions in which the compiler puts what runs before
// main: path.init, path.init.0 ..., path.map.init.0 ...
func initialisers(path string, names []string) (found []string) {
	for _, n := range names {
		rest, ok := strings.CutPrefix(n, path+".")
		if ok && (rest == "init" || strings.HasPrefix(rest, "init.") || strings.HasPrefix(rest, "map.init.")) {
			found = append(found, n)
		}
	}
	return found
}

func TestInitialisersAreSeen(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"var a = [3]int{1, 2, 3}\nvar f = g\nfunc g() {}\nvar s = []string{\"x\"}", false},
		{"func init() { println() }", true},
		{"var a = g()\n//go:noinline\nfunc g() int { return 1 }", true},
		{"var m = map[string]int{\"a\": 1, \"b\": 2}", true},
		{"import \"strings\"\nvar r = strings.NewReplacer(\"a\", \"b\")", true},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"go.mod": "module m\n\ngo 1.26\n", "p.go": "package m\n" + c.text + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command("go", "-C", dir, "list", "-export", "-f", "{{.Export}}", ".").Output()
		if err != nil {
			t.Fatal(err)
		}
		if found := initialisers("m", symbols(t, strings.TrimSpace(string(out)))); (len(found) > 0) != c.want {
			t.Errorf("%q: initialisers %v, want some: %v", c.text, found, c.want)
		}
	}
}
