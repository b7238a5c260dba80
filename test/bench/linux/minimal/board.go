//go:build pdac

package main

import board "pdac/board/qemu-amd64"

func init() { sinceEntry = board.SinceEntry }
