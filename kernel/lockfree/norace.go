//go:build !race

package lockfree

const raceDetector = false
