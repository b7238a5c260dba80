package cap

import "strconv"

// Verdict is the outcome of a call as a number, for both worlds. All but OK are errors, and name
// who is at fault. As an error value it needs no memory.
type Verdict uint8

const (
	OK Verdict = iota

	// The caller named something that isn't there (any more).
	ErrNoCapability // the identifier never was one
	ErrRevoked      // it was one: revoked, deleted, transferred, or never finished
	ErrType         // it is for another type of object
	ErrObject       // the object has been released

	// The caller may not.
	ErrPermission // a permission is missing: PermissionError tells which
	ErrExceeds    // more was asked for than there is to give: ExceedsError tells what
	ErrNotOwner   // the authority is not above the capability
	ErrInside     // called by a user's function that the table is evaluating
	ErrFormula    // the formula can't be: a negative number, a quota too long, or too many above
	ErrBusy       // another Grant to this capability is under way

	// The formula or the account says no.
	ErrExpired   // its time is over
	ErrUsedUp    // no uses are left
	ErrOverQuota // not now: the token bucket is empty
	ErrRefused   // the user's function said no, or can't be asked here
	ErrGas       // the account holds less, or can't hold that much

	ErrFull // no slot is free at this time, or no further identifier
)

var verdictTexts = [...]string{
	OK:              "ok",
	ErrNoCapability: "no such capability",
	ErrRevoked:      "capability revoked",
	ErrType:         "capability for another type of object",
	ErrObject:       "object released",
	ErrPermission:   "permission missing",
	ErrExceeds:      "more than there is to give",
	ErrNotOwner:     "not an authority over this capability",
	ErrInside:       "called from inside a formula's function",
	ErrFormula:      "no such formula",
	ErrBusy:         "another grant is under way",
	ErrExpired:      "capability expired",
	ErrUsedUp:       "capability used up",
	ErrOverQuota:    "over quota",
	ErrRefused:      "refused by the capability's function",
	ErrGas:          "out of gas",
	ErrFull:         "capability table full",
}

func (v Verdict) Error() string {
	if int(v) < len(verdictTexts) {
		return "cap: " + verdictTexts[v]
	}
	return "cap: verdict " + strconv.Itoa(int(v))
}

// Err is nil for OK.
func (v Verdict) Err() error {
	if v == OK {
		return nil
	}
	return v
}

// PermissionError says which of the permissions needed are missing. It is an ErrPermission.
type PermissionError struct{ Missing Perm }

func (e *PermissionError) Error() string        { return "cap: permission missing: " + e.Missing.String() }
func (e *PermissionError) Is(target error) bool { return target == ErrPermission }

// ExceedsError says which of the permissions asked for there aren't to give. It is an ErrExceeds.
type ExceedsError struct{ Excess Perm }

func (e *ExceedsError) Error() string        { return "cap: more than there is to give: " + e.Excess.String() }
func (e *ExceedsError) Is(target error) bool { return target == ErrExceeds }
