//go:build !ck || !cgo

package ck

import (
	"pdac/test/bench/peers/queue"
	"pdac/test/bench/peers/readside"
	"pdac/test/bench/peers/table"
)

// Tables returns nothing: built without Concurrency Kit.
func Tables() []table.Kind { return nil }

// Queues returns nothing: built without Concurrency Kit.
func Queues() []queue.Kind { return nil }

// ReadSides returns nothing: built without Concurrency Kit.
func ReadSides() []readside.Kind { return nil }

// Graces returns nothing: built without Concurrency Kit.
func Graces() []readside.Grace { return nil }
