//go:build race

package dag

const raceDetector = true
