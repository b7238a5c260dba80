package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"reflect"
)

type document struct {
	Name  string
	Count int64
	Rate  float64
	Tags  map[string]string
	Parts []document `json:",omitempty"`
}

func write(w *worker, depth int) document {
	d := document{Name: string(rune('a' + w.IntN(26))), Count: w.Int64(), Rate: w.NormFloat64(), Tags: map[string]string{}}
	for range w.IntN(5) {
		d.Tags[string(rune('A'+w.IntN(26)))] = "\"\u2028<é>"
	}
	if depth > 0 {
		for range w.IntN(4) {
			d.Parts = append(d.Parts, write(w, depth-1))
		}
	}
	return d
}

func jsons(w *worker) func() {
	return func() {
		d := write(w, 4)
		text, err := json.Marshal(d)
		must(err, "json")
		var got document
		must(json.Unmarshal(text, &got), "json")
		if !reflect.DeepEqual(got, d) {
			bad("json: %s came back as %+v", text, got)
		}
	}
}

func flates(w *worker) func() {
	data := make([]byte, 1<<16)
	return func() {
		for i := range data {
			data[i] = byte(w.IntN(1 + i>>12))
		}
		var b bytes.Buffer
		z, err := flate.NewWriter(&b, 1+w.IntN(9))
		must(err, "flate")
		_, err = z.Write(data)
		must(err, "flate")
		must(z.Close(), "flate")
		got, err := io.ReadAll(flate.NewReader(&b))
		must(err, "flate")
		if !bytes.Equal(got, data) {
			bad("flate: what was compressed comes back different")
		}
	}
}
