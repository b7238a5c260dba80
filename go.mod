module pdac

go 1.26.4

require (
	github.com/anishathalye/porcupine v1.0.3
	github.com/usbarmory/tamago v1.26.5
	golang.org/x/arch v0.32.0
)
