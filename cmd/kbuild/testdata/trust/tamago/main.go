// Tamago drives a device itself.
package main

import (
	"github.com/usbarmory/tamago/soc/intel/uart"
	"golang.org/x/sys/unix"

	_ "pdac/board/qemu-amd64"
)

func main() { println(new(uart.UART).Base, unix.Getpid()) }
