//go:build !race

package sched

const scale = 1
