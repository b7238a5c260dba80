//go:build pdac

package main

import _ "pdac/board/qemu-amd64"
