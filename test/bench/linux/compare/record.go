package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// tolerance is how far a figure may exceed the record.
const tolerance = 1.05

// figures maps the name of a measurement to its value; smaller is better.
type figures map[string]float64

// row is one measurement in both guests; 0: not measured. Goal is what PDAC
// means to reach, 0 where nothing was promised.
type row struct {
	name              string
	linux, pdac, goal float64
}

// record is the table in record.txt: comments, then a row a line, fields
// separated by tabs.
type record struct {
	comments []string
	rows     []row
}

func readRecord(file string) (record, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return record{}, err
	}
	var r record
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			r.comments = append(r.comments, line)
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			return record{}, fmt.Errorf("%s: %q has %d fields, want 4", file, line, len(f))
		}
		var v [3]float64
		for i, s := range f[1:] {
			if s == "-" {
				continue
			}
			if v[i], err = strconv.ParseFloat(s, 64); err != nil || v[i] <= 0 {
				return record{}, fmt.Errorf("%s: %q: %q is not a positive number", file, line, s)
			}
		}
		r.rows = append(r.rows, row{f[0], v[0], v[1], v[2]})
	}
	return r, nil
}

func (r record) write(file string) error {
	var b strings.Builder
	for _, c := range r.comments {
		fmt.Fprintln(&b, c)
	}
	for _, w := range r.rows {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", w.name, number(w.linux), number(w.pdac), number(w.goal))
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// update puts measured figures into the table. What is new gets a row.
func (r *record) update(linux, pdac figures) {
	for i := range r.rows {
		w := &r.rows[i]
		if v, ok := linux[w.name]; ok {
			w.linux = v
		}
		if v, ok := pdac[w.name]; ok {
			w.pdac = v
		}
	}
	known := func(name string) bool {
		return slices.ContainsFunc(r.rows, func(w row) bool { return w.name == name })
	}
	for _, measured := range []figures{linux, pdac} {
		for _, name := range slices.Sorted(maps.Keys(measured)) {
			if !known(name) {
				r.rows = append(r.rows, row{name: name, linux: linux[name], pdac: pdac[name]})
			}
		}
	}
}

// regressions returns a line for each figure that is worse than the record's,
// or gone.
func (r record) regressions(pdac figures) (worse []string) {
	for _, w := range r.rows {
		if w.pdac == 0 {
			continue
		}
		switch v, ok := pdac[w.name]; {
		case !ok:
			worse = append(worse, fmt.Sprintf("%s: not measured, the record has %s", w.name, number(w.pdac)))
		case v > w.pdac*tolerance:
			worse = append(worse, fmt.Sprintf("%s: %s, the record has %s (+%.1f%%)", w.name, number(v), number(w.pdac), (v/w.pdac-1)*100))
		}
	}
	return worse
}

// print writes the table for readers, with the page fault less its zeroing.
func (r record) print(w io.Writer) {
	fmt.Fprintf(w, "%-40s %14s %14s %8s %12s\n", "instructions (one CPU, counted)", "Linux", "PDAC", "ratio", "goal")
	for _, row := range slices.Concat(r.rows, r.derived()) {
		ratio := "-"
		if row.linux > 0 && row.pdac > 0 {
			ratio = strconv.FormatFloat(row.linux/row.pdac, 'f', 1, 64)
		}
		goal := number(row.goal)
		if row.goal > 0 && row.pdac > row.goal {
			goal += " !"
		}
		fmt.Fprintf(w, "%-40s %14s %14s %8s %12s\n", row.name, number(row.linux), number(row.pdac), ratio, goal)
	}
}

// derived shows the zeroing of pages apart.
func (r record) derived() []row {
	var fault, zero row
	for _, w := range r.rows {
		switch w.name {
		case pageFault:
			fault = w
		case zeroPage:
			zero = w
		}
	}
	less := row{name: "page fault 4K less zeroing"}
	if fault.linux > 0 && zero.linux > 0 {
		less.linux = fault.linux - zero.linux
	}
	if fault.pdac > 0 && zero.pdac > 0 {
		less.pdac = fault.pdac - zero.pdac
	}
	return []row{less}
}

func number(v float64) string {
	if v == 0 {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

const (
	pageFault = "page fault 4K (touch fresh mmap)"
	zeroPage  = "zero 4K page"
)

// parse reads the benchmark's output. A name that comes again is of the second
// round, with huge pages.
func parse(r io.Reader) (figures, error) {
	f := make(figures)
	for s := bufio.NewScanner(r); s.Scan(); {
		// A prompt or the end of another line may stand before it.
		line := strings.TrimSpace(s.Text())
		_, bench, isBench := strings.Cut(line, "BENCH ")
		if !isBench {
			// The clock at main.main is a figure too.
			if _, tsc, ok := strings.Cut(line, "MAIN reached tsc="); ok {
				v, err := strconv.ParseFloat(tsc, 64)
				if err != nil {
					return nil, fmt.Errorf("line %q: %w", line, err)
				}
				f["reset to main.main"] = v
			}
			continue
		}
		name, value, err := figure(bench)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		if _, again := f[name]; again {
			name += ", huge pages"
		}
		f[name] = value
	}
	return f, nil
}

// figure takes one value out of a line: ticks per operation, or the median of
// a distribution, or an average.
func figure(line string) (string, float64, error) {
	fields := strings.Fields(line)
	for i, word := range fields {
		var value string
		switch {
		case i > 0 && strings.HasPrefix(word, "ticks/"):
			value, fields = fields[i-1], fields[:i-1]
		case i+1 < len(fields) && word == "p50":
			value, fields = fields[i+1], append(fields[:i-2:i-2], "p50") // drops "min N"
		case i+1 < len(fields) && word == "avg":
			value, fields = fields[i+1], append(fields[:i:i], "avg")
		default:
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		return strings.Join(fields, " "), v, err
	}
	return "", 0, fmt.Errorf("no figure")
}
