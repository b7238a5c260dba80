package board

import (
	"github.com/usbarmory/tamago/soc/intel/uart"

	"pdac/asm"
)

// COM1, a 16550A (PC16550D data sheet, National Semiconductor, 1995, chapter 8).
const (
	com1     = 0x3f8
	com1GSI  = 4
	baudBase = 115200

	lcr8N1     = 0x03
	lcrDLAB    = 0x80
	fcrEnable  = 0x01
	ierReceive = 0x01
)

var com = uart.UART{Index: 1, Base: com1, DTR: true, RTS: true}

// initSerial programs 115200 8N1, FIFO on, interrupts off. TamaGo's Init sets
// the modem control only. Turning the FIFO on empties the receiver: where a byte
// already waits, as QEMU has it from a pipe, the FIFO stays off.
func initSerial() {
	asm.Out8(com1+uart.IER, 0)
	asm.Out8(com1+uart.LCR, lcrDLAB)
	asm.Out8(com1+0, 1) // divisor, 115200 / 1
	asm.Out8(com1+1, 0)
	asm.Out8(com1+uart.LCR, lcr8N1)
	if asm.In8(com1+uart.LSR)&(1<<uart.LSR_DR) == 0 {
		asm.Out8(com1+uart.FCR, fcrEnable)
	}
	com.Init()
}

// putByte sends one byte and waits while the FIFO is full. Both worlds.
func putByte(b byte) { com.Tx(b) }
