package cap

import (
	"fmt"
	"testing"

	"github.com/anishathalye/porcupine"
)

// part is what a call did to one entry.
type part struct {
	do   kind
	id   ID
	p    Perm
	made ID
	fail Verdict // OK: it succeeded
	bind bool    // a part of a Narrow that counts also when it comes before the birth
}

// entryState is one entry as the parts see it.
type entryState struct {
	now   ID // 0: not born
	dead  bool
	perms Perm
	bound Perm // not born: what Narrows have taken
}

// entryModel is one entry.
var entryModel = porcupine.Model{
	Init: func() any { return entryState{} },
	Step: func(state, input, _ any) (bool, any) {
		s, in := state.(entryState), input.(part)
		alive := s.now == in.id && !s.dead && s.now != 0
		if in.fail != OK {
			switch in.fail {
			case ErrRevoked:
				return s.now != 0 && !alive, s
			case ErrPermission, ErrExceeds:
				return alive && in.p&^s.perms != 0, s
			case ErrRefused:
				return !alive || in.p&^s.perms != 0, s
			}
			return false, s
		}
		switch in.do {
		case create: // of the entry
			if s.now != 0 {
				return false, s
			}
			s.now, s.perms = in.made, in.p&^s.bound
			return true, s
		case check:
			return alive && in.p&^s.perms == 0, s
		case grant:
			s.perms |= in.p
			return alive, s
		case narrow: // the top by its identifier, what is below whatever it has
			switch {
			case s.now != 0:
				s.perms &= in.p
			case in.bind:
				s.bound |= ^in.p
			}
			return alive || in.id == 0, s
		case transfer:
			s.now = in.made
			return alive, s
		case revoke:
			s.dead = true
			return alive || in.id == 0, s
		}
		return false, s
	},
	DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
}

// The check itself must be able to say no, and to say yes to what overlaps.
func TestEntryModel(t *testing.T) {
	const a, b, c, d ID = 1, 2, 3, 4
	all := []call{
		{kind: create, made: a, p: AllPerms, from: 1, to: 2},
		{kind: derive, auth: a, made: b, p: AllPerms &^ Execute, from: 3, to: 4},
		{kind: derive, auth: b, made: c, p: Read | Write | Upgrade | Delegate, from: 5, to: 6},
	}
	passes := func(id ID, p Perm, from, to int64) call { return call{kind: check, id: id, p: p, from: from, to: to} }
	fails := func(id ID, p Perm, err error, from, to int64) call {
		return call{kind: check, id: id, p: p, err: err, from: from, to: to}
	}
	kills := func(id ID, from, to int64) call { return call{kind: revoke, auth: a, id: id, from: from, to: to} }
	narrows := func(id ID, p Perm, from, to int64) call {
		return call{kind: narrow, auth: a, id: id, p: p, from: from, to: to}
	}
	for name, c := range map[string]struct {
		more []call
		ok   bool
	}{
		"nothing":                             {nil, true},
		"passes for more":                     {[]call{passes(b, Execute, 10, 11)}, false},
		"fails for what it has":               {[]call{fails(b, Read, ErrPermission, 10, 11)}, false},
		"fails without a reason":              {[]call{fails(c, 0, ErrRevoked, 10, 11)}, false},
		"passes beside Revoke":                {[]call{kills(b, 10, 20), passes(c, 0, 12, 13)}, true},
		"fails, then passes beside Revoke":    {[]call{kills(b, 10, 20), fails(c, 0, ErrRevoked, 11, 12), passes(c, 0, 13, 14)}, false},
		"child first, beside Revoke":          {[]call{kills(b, 10, 20), fails(c, 0, ErrRevoked, 11, 12), passes(b, 0, 13, 14)}, true},
		"passes after Revoke":                 {[]call{kills(b, 10, 20), passes(b, 0, 21, 22)}, false},
		"child passes after Revoke":           {[]call{kills(b, 10, 20), passes(c, 0, 21, 22)}, false},
		"parent dies with its child":          {[]call{kills(c, 10, 20), fails(b, 0, ErrRevoked, 21, 22)}, false},
		"revoked twice":                       {[]call{kills(b, 10, 20), kills(b, 11, 21)}, false},
		"derived beside Revoke, passes":       {[]call{kills(b, 10, 20), {kind: derive, auth: b, made: d, p: Read, from: 11, to: 19}, passes(d, Read, 19, 20)}, true},
		"derived beside Revoke, outlives it":  {[]call{kills(b, 10, 20), {kind: derive, auth: b, made: d, p: Read, from: 11, to: 19}, passes(d, Read, 21, 22)}, false},
		"derived after Revoke":                {[]call{kills(b, 10, 20), {kind: derive, auth: b, made: d, p: Read, from: 21, to: 22}}, false},
		"derived more":                        {[]call{{kind: derive, auth: b, made: d, p: Execute, from: 21, to: 22}}, false},
		"derived below a derived one":         {[]call{kills(b, 10, 20), {kind: derive, auth: c, made: d, p: Read, from: 11, to: 19}, passes(d, Read, 21, 22)}, false},
		"narrowed":                            {[]call{narrows(b, Read, 10, 20), passes(c, Read, 21, 22), fails(c, Write, ErrPermission, 21, 22)}, true},
		"passes after Narrow":                 {[]call{narrows(b, Read, 10, 20), passes(c, Write, 21, 22)}, false},
		"narrowed back and forth":             {[]call{narrows(b, Read, 10, 20), fails(c, Write, ErrPermission, 11, 12), passes(c, Write, 13, 14)}, false},
		"derived beside Narrow, outlives it":  {[]call{narrows(b, AllPerms&^Write, 10, 20), {kind: derive, auth: b, made: d, p: Write, from: 11, to: 30}, passes(d, Write, 31, 32)}, false},
		"derived from what was granted again": {[]call{narrows(b, AllPerms&^Write, 10, 20), {kind: grant, auth: a, id: b, p: Write, from: 11, to: 12}, {kind: derive, auth: b, made: d, p: Write, from: 13, to: 30}, passes(d, Write, 31, 32)}, true},
		"granted more than there is":          {[]call{{kind: grant, auth: b, id: c, p: Execute, from: 10, to: 11}}, false},
		"granted beside Narrow":               {[]call{narrows(a, AllPerms&^Write, 10, 20), {kind: grant, auth: b, id: c, p: Write, from: 11, to: 30}, fails(c, Write, ErrPermission, 31, 32)}, true},
		"a grant is lost":                     {[]call{narrows(c, AllPerms&^Write, 10, 11), {kind: grant, auth: b, id: c, p: Write, from: 12, to: 13}, fails(c, Write, ErrPermission, 14, 15)}, false},
		"busy with nothing":                   {[]call{{kind: grant, auth: b, id: c, p: Write, err: ErrBusy, from: 12, to: 13}}, false},
		"transferred":                         {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, fails(b, 0, ErrRevoked, 21, 22), passes(d, Write, 21, 22), passes(c, Write, 21, 22)}, true},
		"old one passes after Transfer":       {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, passes(b, 0, 21, 22)}, false},
		"transferred twice":                   {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, {kind: transfer, auth: b, made: 5, from: 11, to: 21}}, false},
		"child lost by Transfer":              {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, fails(c, 0, ErrRevoked, 21, 22)}, false},
		"more by Transfer":                    {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, passes(d, Execute, 21, 22)}, false},
		"transferred one outlives its parent": {[]call{{kind: transfer, auth: c, made: d, from: 10, to: 20}, kills(b, 11, 19), passes(d, 0, 21, 22)}, false},
		"deleted without Delete":              {[]call{{kind: revoke, auth: c, id: c, p: Delete, from: 10, to: 11}}, false},
	} {
		if got := disorder(append(all[:3:3], c.more...)) == nil; got != c.ok {
			t.Errorf("%s: %v, want %v", name, got, c.ok)
		}
	}
}
