// Package boot boots images in QEMU by scripts/run-qemu.sh and looks at what
// they print. Other packages of tests use it too. It is host code and serves
// neither world of the kernel.
//
// Its tests need QEMU and minutes, so they run only with PDAC_BOOT=1, as make
// test sets it.
package boot
