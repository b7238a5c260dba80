// Package ck has what Concurrency Kit (https://concurrencykit.org) offers beside ours: its hash
// table, queue, ring and epochs, where the tag ck says that it is installed. The loops are in C:
// the figures hold no call from Go.
package ck
