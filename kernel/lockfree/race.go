//go:build race

package lockfree

const raceDetector = true
