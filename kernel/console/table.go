package console

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const columns = 80

// table collects rows for aligned output. Columns of numbers are right-aligned, but for the last one, which is cut where the
// screen ends: -j has it all.
type table struct{ rows [][]string }

// row adds a row of cells made by fmt.Sprint. The first row is the header, and says how many cells a row has.
func (t *table) row(cells ...any) {
	var r []string
	for _, c := range cells {
		r = append(r, fmt.Sprint(c))
	}
	t.rows = append(t.rows, r)
}

func (t *table) print(w io.Writer) {
	n := len(t.rows[0])
	width, right := make([]int, n), make([]bool, n)
	for i := range n {
		right[i] = i < n-1
		for j, r := range t.rows {
			width[i] = max(width[i], len(r[i]))
			if j > 0 && (r[i] == "" || !strings.Contains("0123456789-", r[i][:1])) {
				right[i] = false
			}
		}
	}
	var b strings.Builder
	for _, r := range t.rows {
		var l strings.Builder
		for i, c := range r {
			switch {
			case right[i]:
				fmt.Fprintf(&l, "%*s", width[i], c)
			case i == n-1:
				l.WriteString(c)
			default:
				fmt.Fprintf(&l, "%-*s", width[i], c)
			}
			if i < n-1 {
				l.WriteString("  ")
			}
		}
		s := strings.TrimRight(l.String(), " ")
		if len(s) > columns {
			s = s[:columns-3] + "..."
		}
		b.WriteString(s + "\n")
	}
	io.WriteString(w, b.String())
}

// size prints a number of bytes.
type size uint64

func (s size) String() string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i, v := 0, float64(s)
	for v >= 1024 && i < len(units)-1 {
		i, v = i+1, v/1024
	}
	if i == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// seconds prints nanoseconds.
func seconds(ns uint64) string { return fmt.Sprintf("%.3f s", float64(ns)/1e9) }

// rate prints bytes per second.
func rate(bytes, ns uint64) string {
	if ns == 0 {
		return "-"
	}
	return size(float64(bytes)/time.Duration(ns).Seconds()).String() + "/s"
}

// ranges prints sorted numbers as 0-3,8.
func ranges(v []int) string {
	var b strings.Builder
	for i := 0; i < len(v); {
		j := i
		for j+1 < len(v) && v[j+1] == v[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if fmt.Fprint(&b, v[i]); j > i {
			fmt.Fprintf(&b, "-%d", v[j])
		}
		i = j + 1
	}
	if b.Len() == 0 {
		return "none"
	}
	return b.String()
}

// runs prints numbers as 10 20x3: repetitions are counted from three on.
func runs[T int | uint64](v []T) string {
	var b []string
	for i := 0; i < len(v); {
		j := i
		for j < len(v) && v[j] == v[i] {
			j++
		}
		if j-i >= 3 {
			b = append(b, fmt.Sprintf("%dx%d", v[i], j-i))
			i = j
			continue
		}
		b = append(b, fmt.Sprint(v[i]))
		i++
	}
	return strings.Join(b, " ")
}
