package linux

import "testing"

func TestSetDirectory(t *testing.T) {
	m := bootFiles(t, 1, pathArchive(t))
	if !SetDirectory([]byte("/abs")) { // a link to d/e
		t.Fatal("/abs is refused")
	}
	for _, path := range []string{"", "/nope", "/top", "/d/nope/x"} {
		if SetDirectory([]byte(path)) {
			t.Errorf("%q is accepted", path)
		}
	}
	if got := m.readAll(m.open("f")); string(got) != "file" {
		t.Errorf("f reads %q", got)
	}
}
