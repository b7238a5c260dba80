//go:build race

package cap

import "sync/atomic"

// The race detector cannot know the argument in owned.go, and is shown atomic stores.

func own32(word *atomic.Uint32, v uint32) { word.Store(v) }

func own64(word *atomic.Uint64, v uint64) { word.Store(v) }
