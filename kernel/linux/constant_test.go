package linux

import "testing"

// The table and the handlers must give the same answers.
func TestConstantsAreWhatSyscallAnswers(t *testing.T) {
	m := boot(t, 1)
	for nr, v := range Constants {
		switch v {
		case 0:
		case OwnNumber:
			m.want(int64(mainThread), uint64(nr))
		case OwnTurn:
			m.want(0, uint64(nr))
		default:
			m.want(int64(v)-1, uint64(nr))
		}
	}
}
