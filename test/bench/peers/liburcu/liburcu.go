//go:build liburcu && cgo

package liburcu

// #cgo CFLAGS: -O2 -pthread -D_LGPL_SOURCE
// #cgo LDFLAGS: -lurcu-memb -lurcu-mb -lurcu-qsbr -pthread
//
// #include <pthread.h>
// #include <semaphore.h>
// #include <stdint.h>
// #include <stdlib.h>
// #include <urcu/urcu-memb.h>
// #include <urcu/urcu-mb.h>
// #include <urcu/urcu-qsbr.h>
//
// struct record { uint64_t v; };
// static struct record the = {1};
// static struct record *shared = &the;
//
// // An idle reader, and what ends it.
// struct idle { pthread_t thread; sem_t ready, end; };
//
// // The loops of one flavour: sections, sections with an announcement of quiescence after each (QSBR's price, which the others have
// // in their unlock), grace periods, and the idle reader, which under QSBR has to say so.
// #define FLAVOUR(f, online, offline, quiescent)                                     \
// static uint64_t f##_read(uint64_t n)                                               \
// {                                                                                  \
// 	uint64_t sum = 0;                                                              \
// 	urcu_##f##_register_thread();                                                  \
// 	for (uint64_t i = 0; i < n; i++) {                                             \
// 		urcu_##f##_read_lock();                                                    \
// 		sum += rcu_dereference(shared)->v;                                         \
// 		urcu_##f##_read_unlock();                                                  \
// 		quiescent;                                                                 \
// 	}                                                                              \
// 	urcu_##f##_unregister_thread();                                                \
// 	return sum;                                                                    \
// }                                                                                  \
// static void f##_synchronize(uint64_t n)                                            \
// {                                                                                  \
// 	urcu_##f##_register_thread();                                                  \
// 	for (uint64_t i = 0; i < n; i++)                                               \
// 		urcu_##f##_synchronize_rcu();                                              \
// 	urcu_##f##_unregister_thread();                                                \
// }                                                                                  \
// static void *f##_reader(void *arg)                                                 \
// {                                                                                  \
// 	struct idle *r = arg;                                                          \
// 	urcu_##f##_register_thread();                                                  \
// 	offline;                                                                       \
// 	sem_post(&r->ready);                                                           \
// 	while (sem_wait(&r->end) != 0);                                                \
// 	online;                                                                        \
// 	urcu_##f##_unregister_thread();                                                \
// 	return 0;                                                                      \
// }                                                                                  \
// static int f##_start(struct idle *r)                                               \
// {                                                                                  \
// 	sem_init(&r->ready, 0, 0);                                                     \
// 	sem_init(&r->end, 0, 0);                                                       \
// 	int error = pthread_create(&r->thread, 0, f##_reader, r);                      \
// 	if (!error)                                                                    \
// 		while (sem_wait(&r->ready) != 0);                                          \
// 	return error;                                                                  \
// }
//
// FLAVOUR(memb, , , )
// FLAVOUR(mb, , , )
// FLAVOUR(qsbr, urcu_qsbr_thread_online(), urcu_qsbr_thread_offline(), urcu_qsbr_quiescent_state())
//
// static void finish(struct idle *r)
// {
// 	sem_post(&r->end);
// 	pthread_join(r->thread, 0);
// }
import "C"

import (
	"fmt"
	"unsafe"

	"pdac/test/bench/peers/readside"
)

// ReadSides returns read_lock and read_unlock of each flavour, with a quiescent_state after each
// section for QSBR.
func ReadSides() []readside.Kind {
	loop := func(f func(n int) int) func() func(int, int) int {
		return func() func(int, int) int { return func(_, n int) int { return f(n) } }
	}
	return []readside.Kind{
		{Name: "liburcu memb", New: loop(func(n int) int { return int(C.memb_read(C.uint64_t(n))) })},
		{Name: "liburcu mb", New: loop(func(n int) int { return int(C.mb_read(C.uint64_t(n))) })},
		{Name: "liburcu qsbr, quiescent each time", New: loop(func(n int) int { return int(C.qsbr_read(C.uint64_t(n))) })},
	}
}

// Graces returns synchronize_rcu of each flavour.
func Graces() []readside.Grace {
	grace := func(name string, start func(*C.struct_idle) C.int, wait func(n int)) readside.Grace {
		return readside.Grace{Name: "liburcu " + name, New: func() (func(n int), func()) {
			r := (*C.struct_idle)(C.calloc(1, C.sizeof_struct_idle))
			if e := start(r); e != 0 {
				panic(fmt.Sprint("liburcu: no thread: error ", e))
			}
			return wait, func() {
				C.finish(r)
				C.free(unsafe.Pointer(r))
			}
		}}
	}
	return []readside.Grace{
		grace("memb", func(r *C.struct_idle) C.int { return C.memb_start(r) }, func(n int) { C.memb_synchronize(C.uint64_t(n)) }),
		grace("mb", func(r *C.struct_idle) C.int { return C.mb_start(r) }, func(n int) { C.mb_synchronize(C.uint64_t(n)) }),
		grace("qsbr", func(r *C.struct_idle) C.int { return C.qsbr_start(r) }, func(n int) { C.qsbr_synchronize(C.uint64_t(n)) }),
	}
}
