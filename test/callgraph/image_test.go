package callgraph

import (
	"os"
	"testing"

	"pdac/test/boot"
)

// TestImage walks the standard image, or the one that PDAC_ELF names.
func TestImage(t *testing.T) {
	file := os.Getenv("PDAC_ELF")
	if file == "" {
		boot.Need(t)
		file = boot.Image(t, ".")
	}
	img, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	wrong, reached := walk(img, below)
	for _, w := range wrong {
		t.Error(w)
	}
	t.Logf("%d functions reached below the runtime", reached)
	if reached < 50 {
		t.Errorf("%d functions reached: are the roots right?", reached)
	}
}
