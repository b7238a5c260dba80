package workload

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
)

func archive(t *testing.T) fstest.MapFS {
	t.Helper()
	var p Packer
	var items []Item
	m := fstest.MapFS{}
	for name, text := range map[string]string{"a": strings.Repeat("light ", 1000), "b": "", "c": "opticks"} {
		m[name] = &fstest.MapFile{Data: []byte(text)}
		items = append(items, p.Pack(name, []byte(text)))
	}
	b, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	m[Manifest] = &fstest.MapFile{Data: b}
	return m
}

func TestRunProcessesEveryFile(t *testing.T) {
	var out strings.Builder
	calls := uint64(0)
	nodes := func() []Node { calls++; return []Node{{10 * calls, 5}} }
	r, err := Run(&out, archive(t), Machine{Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	files, n := 0, uint64(0)
	for _, s := range r.CPUs {
		files += s.Files
		n += s.Bytes
	}
	if files != 3 || n != 6007 || r.Bytes != n || r.Took <= 0 {
		t.Errorf("%d files of %d bytes, want 3 of 6007: %+v", files, n, r)
	}
	if r.Nodes[0] != (Node{10, 0}) {
		t.Errorf("pages %+v, want 10 local", r.Nodes)
	}
	if !strings.Contains(out.String(), "3 files") {
		t.Errorf("progress %q", out.String())
	}
}

func TestRunNoticesAWrongResult(t *testing.T) {
	m := archive(t)
	m["c"].Data = []byte("optics")
	if _, err := Run(&strings.Builder{}, m, Machine{}); err == nil || !strings.Contains(err.Error(), "c:") {
		t.Fatalf("a changed file gave error %v", err)
	}
}

func TestRunWithoutArchive(t *testing.T) {
	if _, err := Run(&strings.Builder{}, fstest.MapFS{}, Machine{}); err != ErrNoArchive {
		t.Fatalf("got %v, want ErrNoArchive", err)
	}
}
