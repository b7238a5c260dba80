// Package pvh gives a linked Go program the note by which a hypervisor finds
// its PVH entry. It is a host tool and serves neither world of the kernel.
//
// Source: the Xen PVH boot ABI (xen/docs/misc/pvh.pandoc) and Xen's
// public/elfnote.h; the ELF-64 object file format for notes.
package pvh
