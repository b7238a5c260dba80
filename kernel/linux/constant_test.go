package linux

import "testing"

// The table and the handlers must give the same answers.
func TestConstantsAreWhatSyscallAnswers(t *testing.T) {
	m := boot(t, 1)
	for nr, v := range Constants {
		if v != 0 {
			m.want(int64(v)-1, uint64(nr))
		}
	}
}
