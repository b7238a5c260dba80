package console

import (
	"errors"
	"io"
	"slices"
	"strings"
)

// What x/term's Terminal makes of some input is not what a console needs. It returns io.EOF for Ctrl-C and Ctrl-D and meets the same
// byte again at the next call; it holds back all input behind a byte that is not UTF-8 until there is more; and it reads into
// an empty buffer for ever once an escape sequence fills its own. So line rewrites the input before the Terminal sees it.

const (
	ctrlC = 0x03
	ctrlD = 0x04
	// clearLine is a control character that neither the Terminal nor a keyboard uses. It goes to key, as Tab does.
	clearLine = 0x1c
)

var errGarbage = errors.New("console: endless escape sequence")

// line is the serial line with its input rewritten byte by byte: Ctrl-C clears the line, Ctrl-D is dropped, and what is not
// ASCII becomes '?'.
type line struct{ io.ReadWriter }

func (l line) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, errGarbage
	}
	for {
		n, err := l.ReadWriter.Read(p)
		in := p[:n]
		out := in[:0]
		for _, b := range in {
			switch {
			case b == ctrlC:
				out = append(out, clearLine)
			case b >= 0x80:
				out = append(out, '?')
			case b != ctrlD:
				out = append(out, b)
			}
		}
		if len(out) > 0 || err != nil {
			return len(out), err
		}
	}
}

// key handles the keys that the Terminal has no use for; it is called without the Terminal's lock.
func (c *Console) key(text string, pos int, key rune) (newText string, newPos int, ok bool) {
	switch key {
	case clearLine:
		return "", 0, true
	case '\t':
		return c.complete(text, pos)
	}
	return "", 0, false
}

// complete completes the name of a command before pos: the first word, or the argument of help. If several match and agree on
// nothing more, it lists them.
func (c *Console) complete(text string, pos int) (newText string, newPos int, ok bool) {
	start := strings.LastIndexAny(text[:pos], " ;\t") + 1
	before := strings.Fields(text[strings.LastIndexByte(text[:start], ';')+1 : start])
	if len(before) > 1 || len(before) == 1 && before[0] != "help" {
		return text, pos, true
	}
	word := text[start:pos]
	var names []string
	for _, k := range Commands() {
		if strings.HasPrefix(k.Name, word) {
			names = append(names, k.Name)
		}
	}
	if len(names) == 0 {
		return text, pos, true
	}
	whole := names[0]
	for _, n := range names[1:] {
		for !strings.HasPrefix(n, whole) {
			whole = whole[:len(whole)-1]
		}
	}
	if len(names) == 1 {
		whole += " "
	} else if whole == word {
		io.WriteString(c.term, strings.Join(names, " ")+"\n")
	}
	return text[:start] + whole + text[pos:], start + len(whole), true
}

// history keeps lines for the arrow keys, but neither blank ones nor repetitions. Only the goroutine in Run uses it.
type history struct{ lines []string }

const historyLines = 100

func (h *history) Add(s string) {
	if strings.TrimSpace(s) == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == s {
		return
	}
	if len(h.lines) == historyLines {
		h.lines = slices.Delete(h.lines, 0, 1)
	}
	h.lines = append(h.lines, s)
}

func (h *history) Len() int { return len(h.lines) }

func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }
