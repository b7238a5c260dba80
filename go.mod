module pdac

go 1.26.4

require (
	github.com/anishathalye/porcupine v1.0.3
	github.com/usbarmory/tamago v1.26.5
	golang.org/x/arch v0.32.0
	golang.org/x/term v0.45.0
)

require golang.org/x/sys v0.47.0 // indirect
