// Package space says which capability space the calling goroutine is in: the account
// in whose name it reaches outside.
//
// A goroutine is born in the space of the one that started it by a go statement, and
// one of context.AfterFunc in that of who called it, whoever cancels. The
// main goroutine is in Root before any init function runs, and with it the kernel's own
// goroutines and all that nobody put elsewhere. Goroutines that the runtime starts, for
// time.AfterFunc, cleanups and finalizers, are in None, and so are those that they start.
//
// The space is a word of the runtime's g, beside the profiling labels and handed on with
// them, in the runtime that kbuild overlays (board, overlay). Nothing that
// sets labels reaches it. Rejected: the label list itself, since labels are the program's
// to set; an object {label list, space} in its place, since then every goroutine has
// labels, profiles show them, each pprof.Do allocates, and whoever stores labels of his
// own past the runtime loses the space or makes one up.
//
// World: Get and Set are for the one above; Offsets is how the world below reads the
// space of a thread that calls it.
package space
