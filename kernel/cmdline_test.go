package kernel

import (
	"slices"
	"testing"

	"pdac/kernel/klog"
	"pdac/kernel/vm"
)

func words(o *Options, w []word) (s []string) {
	for _, w := range w {
		s = append(s, string(o.bytes(w)))
	}
	return s
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line  string
		cwd   string
		exec  string
		level klog.Level
		env   []string
		args  []string
	}{
		{"", "", "", klog.Info, nil, nil},
		{"  \t ", "", "", klog.Info, nil, nil},
		{`exec="numa -j; poweroff 3"`, "", "numa -j; poweroff 3", klog.Info, nil, nil},
		{`exec="say \"a\\b\""`, "", `say "a\b"`, klog.Info, nil, nil},
		{"loglevel=debug env.GODEBUG=gctrace=1 env.A= -- -v --x a=b", "", "", klog.Debug, []string{"GODEBUG=gctrace=1", "A="}, []string{"-v", "--x", "a=b"}},
		{`env.X="a  b" -- "two words" exec=no`, "", "", klog.Info, []string{"X=a  b"}, []string{"two words", "exec=no"}},
		{`cwd=/a/b exec=help cwd="/a/c d" -- cwd=/e`, "/a/c d", "help", klog.Info, nil, []string{"cwd=/e"}},
		{"loglevel=loud", "", "", klog.Info, nil, nil},
		{"what exec=help", "", "help", klog.Info, nil, nil},
		{`exec="open`, "", "open", klog.Info, nil, nil},
	} {
		var o Options
		o.Parse([]byte(c.line))
		if string(o.bytes(o.cwd)) != c.cwd || string(o.bytes(o.exec)) != c.exec || o.level != c.level || !slices.Equal(words(&o, o.env[:o.nenv]), c.env) || !slices.Equal(words(&o, o.args[:o.nargs]), c.args) {
			t.Errorf("%q: cwd %q exec %q level %v env %q args %q", c.line, o.bytes(o.cwd), o.bytes(o.exec), o.level, words(&o, o.env[:o.nenv]), words(&o, o.args[:o.nargs]))
		}
	}
}

func TestParseConsoleOff(t *testing.T) {
	for line, off := range map[string]bool{"console=off": true, "console=on": false, "": false, "-- console=off": false} {
		var o Options
		if o.Parse([]byte(line)); o.noConsole != off {
			t.Errorf("%q: no console %v, want %v", line, o.noConsole, off)
		}
	}
}

func TestParseTrack(t *testing.T) {
	for line, track := range map[string]bool{"rcu.track": true, "rcu.tracks": false, "rcu.track=1": false, "": false, "-- rcu.track": false} {
		var o Options
		if o.Parse([]byte(line)); o.rcuTrack != track {
			t.Errorf("%q: track %v, want %v", line, o.rcuTrack, track)
		}
	}
}

func TestParseHugePages(t *testing.T) {
	for line, want := range map[string]vm.HugeMode{
		"":                      vm.HugeMadvise,
		"hugepages=never":       vm.HugeNever,
		"hugepages=madvise":     vm.HugeMadvise,
		"hugepages=always":      vm.HugeAlways,
		"hugepages=some":        vm.HugeMadvise,
		"hugepages=":            vm.HugeMadvise,
		"-- hugepages=always":   vm.HugeMadvise,
		`"hugepages=always" a=`: vm.HugeAlways,
	} {
		var o Options
		if o.Parse([]byte(line)); o.huge != want {
			t.Errorf("%q: mode %d, want %d", line, o.huge, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`exec="a; b" env.X=1 loglevel=warn -- a "b c"`))
	f.Add([]byte(`"\`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var o Options
		o.Parse(line)
		for _, w := range slices.Concat(o.env[:o.nenv], o.args[:o.nargs], []word{o.cwd, o.exec}) {
			if w.from > w.to || w.from < w.to && (w.to >= len(o.text) || o.text[w.to] != 0) {
				t.Fatalf("word %v of %q", w, line)
			}
		}
	})
}
