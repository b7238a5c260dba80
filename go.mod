module pdac

go 1.26

require github.com/usbarmory/tamago v1.26.5
