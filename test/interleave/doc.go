// Package interleave runs lock-free code of the kernel, unchanged, in orders of steps that real threads seldom take.
//
// World: host tests.
package interleave
