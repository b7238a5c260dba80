package kernel

import (
	"pdac/kernel/klog"
	"pdac/kernel/vm"
)

// The kernel's command line:
//
//	console=off      no console: with one, Go's runtime never finds a deadlock,
//	                 since a goroutine waits for input
//	cwd=PATH         the program's working directory at start (default /)
//	exec="COMMANDS"  console commands to run at start, separated by ;
//	env.NAME=VALUE   an environment variable of the program
//	hugepages=WHICH  never, madvise (the default) or always: which areas of memory
//	                 get pages of 2 MiB, see docs/HUGEPAGES.md
//	loglevel=LEVEL   error, warn, info or debug
//	rcu.track        read sections are registered, so that who holds up a grace
//	                 period is named in the log; gated calls take longer
//	-- ARGS          the program's arguments
//
// Words are separated by blanks. Double quotes keep blanks and vanish; a
// backslash inside them keeps the character that follows.

const (
	maxLine  = 4096
	maxWords = 256
)

// Options are the parsed command line. Strings live in text, each ended by a 0.
type Options struct {
	text  [maxLine + maxWords]byte
	cwd   word
	exec  word
	level klog.Level
	huge  vm.HugeMode
	env   [maxWords]word
	nenv  int
	args  [maxWords]word
	nargs int

	noConsole bool
	rcuTrack  bool
}

// word is a piece of Options.text.
type word struct{ from, to int }

func (o *Options) bytes(w word) []byte { return o.text[w.from:w.to] }

// Parse fills o from a command line. What it doesn't know is reported and left
// out.
func (o *Options) Parse(line []byte) {
	*o = Options{level: klog.Info, huge: vm.HugeMadvise}
	if len(line) > maxLine {
		klog.New(klog.Warn).Str("command line: longer than ").Dec(maxLine).Str(" bytes; the rest is left out").End()
		line = line[:maxLine]
	}
	n, args := 0, false
	for at := 0; ; {
		for at < len(line) && blank(line[at]) {
			at++
		}
		if at == len(line) {
			return
		}
		w := word{n, n}
		quoted := false
		for ; at < len(line) && (quoted || !blank(line[at])); at++ {
			if line[at] == '"' {
				quoted = !quoted
				continue
			}
			if quoted && line[at] == '\\' && at+1 < len(line) {
				at++
			}
			o.text[w.to] = line[at]
			w.to++
		}
		if quoted {
			klog.New(klog.Warn).Str("command line: a quote is not closed").End()
		}
		if n = w.to + 1; n >= len(o.text)-1 {
			return
		}
		switch {
		case args:
			if o.nargs < maxWords-1 {
				o.args[o.nargs] = w
				o.nargs++
			}
		case string(o.bytes(w)) == "--":
			args = true
		default:
			o.option(w)
		}
	}
}

func (o *Options) option(w word) {
	switch {
	case o.cut(&w, "cwd="):
		o.cwd = w
	case o.cut(&w, "exec="):
		o.exec = w
	case o.cut(&w, "console="):
		if string(o.bytes(w)) != "off" {
			klog.New(klog.Warn).Str("command line: console=").Chars(o.bytes(w)).Str(": expected off").End()
			return
		}
		o.noConsole = true
	case o.cut(&w, "env."):
		if o.nenv < maxWords-1 {
			o.env[o.nenv] = w
			o.nenv++
		}
	case o.cut(&w, "hugepages="):
		switch string(o.bytes(w)) {
		case "never":
			o.huge = vm.HugeNever
		case "madvise":
			o.huge = vm.HugeMadvise
		case "always":
			o.huge = vm.HugeAlways
		default:
			klog.New(klog.Warn).Str("command line: hugepages=").Chars(o.bytes(w)).Str(": expected never, madvise or always").End()
		}
	case o.cut(&w, "loglevel="):
		l, ok := klog.ParseLevel(string(o.bytes(w)))
		if !ok {
			klog.New(klog.Warn).Str("command line: loglevel=").Chars(o.bytes(w)).Str(": expected error, warn, info or debug").End()
			return
		}
		o.level = l
	case string(o.bytes(w)) == "rcu.track":
		o.rcuTrack = true
	default:
		klog.New(klog.Warn).Str("command line: unknown option ").Chars(o.bytes(w)).Str(": expected console=, cwd=, exec=, env.NAME=, hugepages=, loglevel=, rcu.track or --").End()
	}
}

// cut removes a prefix from w, if it has it.
func (o *Options) cut(w *word, prefix string) bool {
	if w.to-w.from < len(prefix) || string(o.text[w.from:w.from+len(prefix)]) != prefix {
		return false
	}
	w.from += len(prefix)
	return true
}

func blank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
