package linux

import "sync/atomic"

// strangers has a bit for each call that was answered with ENOSYS because there
// is no handler for it.
var strangers [nrLimit/64 + 1]atomic.Uint64

func setUnknown(nr uint64) {
	i := slot(nr)
	strangers[i/64].Or(1 << (i % 64))
}

// Known says whether call number i, 0 <= i < Calls, has a handler, as far as the
// calls made so far show. Callable from both worlds.
func Known(i int) bool { return strangers[i/64].Load()>>(i%64)&1 == 0 }
