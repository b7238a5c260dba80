package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/term"
)

const prompt = "pdac> "

// Console reads commands from a terminal on a serial line and writes their results there.
type Console struct {
	rw   io.ReadWriter
	sys  System
	term *term.Terminal
}

// New returns a console on rw, a raw serial line: nothing else echoes what is typed or puts a carriage return before a line
// feed. Reads from rw block.
func New(rw io.ReadWriter, sys System) *Console {
	c := &Console{rw: rw, sys: sys}
	c.reset(&history{})
	return c
}

func (c *Console) reset(h term.History) {
	c.term = term.NewTerminal(line{c.rw}, prompt)
	c.term.History = h
	c.term.AutoCompleteCallback = c.key
}

// Run prompts for commands until the line fails, and returns that error; io.EOF if it ended.
func (c *Console) Run() error {
	for {
		text, err := c.term.ReadLine()
		switch {
		case err == nil, errors.Is(err, term.ErrPasteIndicator):
			c.Exec(text)
		case errors.Is(err, errGarbage):
			c.reset(c.term.History)
		default:
			return err
		}
	}
}

// Exec executes commands separated by ";", one after the other, also after one that failed.
func (c *Console) Exec(commands string) {
	for one := range strings.SplitSeq(commands, ";") {
		if words := strings.Fields(one); len(words) > 0 {
			c.exec(words[0], words[1:])
		}
	}
}

func (c *Console) exec(name string, args []string) {
	call := &Call{Sys: &c.sys, Out: c.term}
	asJSON := slices.Contains(args, "-j")
	call.Args = slices.DeleteFunc(args, func(a string) bool { return a == "-j" })
	if asJSON {
		call.Out = io.Discard
	}
	result, err := run(name, call)
	if err != nil {
		result = failure{err.Error()}
	}
	c.write(result, asJSON)
	if err == nil && call.then != nil {
		if err := call.then(); err != nil {
			c.write(failure{fmt.Sprintf("%s: %v", name, err)}, asJSON)
		}
	}
}

// run finds the command and runs it. Errors begin with its name.
func run(name string, call *Call) (Result, error) {
	k, ok := find(name)
	if !ok {
		return nil, unknown(name)
	}
	allowed := len(strings.Fields(k.Args))
	if strings.HasSuffix(k.Args, "...") || strings.HasSuffix(k.Args, "...]") {
		allowed = len(call.Args)
	}
	if len(call.Args) > allowed {
		return nil, fmt.Errorf("%s: unexpected argument %q; usage: %s", name, call.Args[allowed], k.Usage())
	}
	result, err := k.Run(call)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return result, nil
}

func (c *Console) write(r Result, asJSON bool) {
	if !asJSON {
		r.Print(c.term)
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(withoutNil(r)); err != nil {
		panic(err) // a Result that JSON cannot hold: its tags are checked by the test
	}
	c.term.Write(b.Bytes())
}

// withoutNil returns a copy of r whose slices are empty where they were nil, so that a reader of the JSON finds [] and not null.
func withoutNil(r Result) any {
	v := reflect.New(reflect.TypeOf(r)).Elem()
	v.Set(reflect.ValueOf(r))
	fill(v)
	return v.Interface()
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	}
}
