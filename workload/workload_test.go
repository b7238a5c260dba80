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

func TestRunReportsEveryFile(t *testing.T) {
	var out strings.Builder
	nodes := func() []Node { return []Node{{1, 2}} }
	if err := Run(&out, archive(t), Machine{Nodes: nodes}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "3 files") || !strings.Contains(out.String(), "as computed on the host") {
		t.Fatalf("report lacks the files or the verdict:\n%s", out.String())
	}
}

func TestRunNoticesAWrongResult(t *testing.T) {
	m := archive(t)
	m["c"].Data = []byte("optics")
	if err := Run(&strings.Builder{}, m, Machine{}); err == nil || !strings.Contains(err.Error(), "c:") {
		t.Fatalf("a changed file gave error %v", err)
	}
}

func TestRunWithoutArchive(t *testing.T) {
	if err := Run(&strings.Builder{}, fstest.MapFS{}, Machine{}); err != ErrNoArchive {
		t.Fatalf("got %v, want ErrNoArchive", err)
	}
}
