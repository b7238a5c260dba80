// Package stdlib adapts the standard library for images, without touching the
// installed Go: it adds the few names that TamaGo's drivers expect there, and keeps
// the capability space of goroutines in the runtime. By an overlay for builds, by a
// GOROOT of symbolic links for vet. It is part of the host tools and serves neither
// world of the kernel.
package stdlib
