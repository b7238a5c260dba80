// Package stdlib adds to the standard library the few names that TamaGo's
// drivers expect there, without touching the installed Go: by an overlay for
// builds, by a GOROOT of symbolic links for vet. It is part of the host tools
// and serves neither world of the kernel.
package stdlib
