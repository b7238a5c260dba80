//go:build ck && cgo

package ck

// #include <stdlib.h>
// #include <ck_epoch.h>
// #include <ck_pr.h>
//
// struct value { uint64_t v; };
// static struct value the = {1};
// static struct value *shared = &the;
//
// struct epochs {
// 	ck_epoch_t e;
// 	char pad[64];
// 	struct { ck_epoch_record_t r; char pad[64]; } record[2];
// };
//
// static struct epochs *epochs_make(void)
// {
// 	struct epochs *e = aligned_alloc(64, (sizeof *e + 63) & ~(size_t)63);
// 	ck_epoch_init(&e->e);
// 	for (int i = 0; i < 2; i++)
// 		ck_epoch_register(&e->e, &e->record[i].r, 0);
// 	return e;
// }
//
// static uint64_t epochs_read(struct epochs *e, int worker, uint64_t n)
// {
// 	ck_epoch_record_t *r = &e->record[worker].r;
// 	uint64_t sum = 0;
// 	for (uint64_t i = 0; i < n; i++) {
// 		ck_epoch_begin(r, 0);
// 		sum += ((struct value *)ck_pr_load_ptr(&shared))->v;
// 		ck_epoch_end(r, 0);
// 	}
// 	return sum;
// }
//
// static void epochs_synchronize(struct epochs *e, uint64_t n)
// {
// 	for (uint64_t i = 0; i < n; i++)
// 		ck_epoch_synchronize(&e->record[0].r);
// }
import "C"

import (
	"unsafe"

	"pdac/test/bench/peers/readside"
)

// ReadSides returns ck_epoch's sections without a section record, which are the cheaper ones.
func ReadSides() []readside.Kind {
	return []readside.Kind{{Name: "ck_epoch", New: func() func(worker, n int) int {
		e := C.epochs_make() // 2 records; they live as long as the process
		return func(worker, n int) int { return int(C.epochs_read(e, C.int(worker), C.uint64_t(n))) }
	}}}
}

// Graces returns ck_epoch_synchronize; the second record is the idle reader.
func Graces() []readside.Grace {
	return []readside.Grace{{Name: "ck_epoch", New: func() (func(n int), func()) {
		e := C.epochs_make()
		return func(n int) { C.epochs_synchronize(e, C.uint64_t(n)) }, func() { C.free(unsafe.Pointer(e)) }
	}}}
}
