//go:build ck && cgo

package ck

// #include <sched.h>
// #include <stdlib.h>
// #include <string.h>
// #include <ck_fifo.h>
// #include <ck_ring.h>
// #include <ck_stack.h>
//
// #define CAPACITY 1024
//
// // Michael and Scott's queue over type-stable nodes, which a Treiber stack holds while they are free.
// struct node {
// 	ck_fifo_mpmc_entry_t link;
// 	ck_stack_entry_t spare;
// 	char pad[64 - sizeof(ck_fifo_mpmc_entry_t) - sizeof(ck_stack_entry_t)];
// };
// struct fifo {
// 	ck_fifo_mpmc_t q;
// 	char pad[64];
// 	ck_stack_t spare;
// 	char pad2[64];
// 	struct node nodes[CAPACITY + 1];
// };
//
// static struct fifo *fifo_make(void)
// {
// 	struct fifo *f = aligned_alloc(64, (sizeof *f + 63) & ~(size_t)63);
// 	memset(f, 0, sizeof *f);
// 	ck_stack_init(&f->spare);
// 	ck_fifo_mpmc_init(&f->q, &f->nodes[CAPACITY].link);
// 	for (int i = 0; i < CAPACITY; i++)
// 		ck_stack_push_mpmc(&f->spare, &f->nodes[i].spare);
// 	return f;
// }
//
// static inline bool fifo_put(struct fifo *f, void *v)
// {
// 	ck_stack_entry_t *s = ck_stack_pop_mpmc(&f->spare);
// 	if (!s)
// 		return false;
// 	struct node *n = (struct node *)((char *)s - offsetof(struct node, spare));
// 	ck_fifo_mpmc_enqueue(&f->q, &n->link, v);
// 	return true;
// }
//
// static inline bool fifo_take(struct fifo *f, void **v)
// {
// 	ck_fifo_mpmc_entry_t *garbage;
// 	if (!ck_fifo_mpmc_dequeue(&f->q, v, &garbage))
// 		return false;
// 	ck_stack_push_mpmc(&f->spare, &((struct node *)garbage)->spare);
// 	return true;
// }
//
// struct ring {
// 	ck_ring_t r;
// 	ck_ring_buffer_t slots[CAPACITY];
// };
//
// // ck_ring holds one less than its size.
// static struct ring *ring_make(void)
// {
// 	struct ring *r = aligned_alloc(64, (sizeof *r + 63) & ~(size_t)63);
// 	memset(r, 0, sizeof *r);
// 	ck_ring_init(&r->r, CAPACITY);
// 	return r;
// }
//
// static inline bool ring_put(struct ring *r, void *v) { return ck_ring_enqueue_mpmc(&r->r, r->slots, v); }
// static inline bool ring_take(struct ring *r, void **v) { return ck_ring_dequeue_mpmc(&r->r, r->slots, v); }
//
// // The loops of a queue, as those in Go: a spin that lasts gives the CPU away.
// #define LOOPS(q)                                                                   \
// static uint64_t q##_pairs(struct q *s, uint64_t n)                                 \
// {                                                                                  \
// 	uint64_t sum = 0;                                                              \
// 	for (uint64_t i = 0; i < n; i++) {                                             \
// 		void *v = 0;                                                               \
// 		q##_put(s, (void *)i);                                                     \
// 		q##_take(s, &v);                                                           \
// 		sum += (uint64_t)v;                                                        \
// 	}                                                                              \
// 	return sum;                                                                    \
// }                                                                                  \
// static void q##_produce(struct q *s, uint64_t n)                                   \
// {                                                                                  \
// 	for (uint64_t i = 0; i < n; i++)                                               \
// 		for (int p = 0; !q##_put(s, (void *)i);)                                   \
// 			if (++p >= 32)                                                         \
// 				sched_yield();                                                     \
// }                                                                                  \
// static uint64_t q##_consume(struct q *s, uint64_t n)                               \
// {                                                                                  \
// 	uint64_t sum = 0;                                                              \
// 	for (uint64_t i = 0; i < n; i++) {                                             \
// 		void *v;                                                                   \
// 		for (int p = 0; !q##_take(s, &v);)                                         \
// 			if (++p >= 32)                                                         \
// 				sched_yield();                                                     \
// 		sum += (uint64_t)v;                                                        \
// 	}                                                                              \
// 	return sum;                                                                    \
// }
//
// LOOPS(fifo)
// LOOPS(ring)
import "C"

import (
	"runtime"
	"unsafe"

	"pdac/test/bench/peers/queue"
)

// Queues returns ck_fifo_mpmc and ck_ring, for any number of producers and consumers.
func Queues() []queue.Kind {
	return []queue.Kind{
		{Name: "ck_fifo_mpmc, nodes by ck_stack", New: func() queue.Paired {
			q := &fifo{C.fifo_make()}
			runtime.AddCleanup(q, func(p *C.struct_fifo) { C.free(unsafe.Pointer(p)) }, q.f)
			return q
		}},
		{Name: "ck_ring, mpmc", New: func() queue.Paired {
			q := &ring{C.ring_make()}
			runtime.AddCleanup(q, func(p *C.struct_ring) { C.free(unsafe.Pointer(p)) }, q.r)
			return q
		}},
	}
}

type fifo struct{ f *C.struct_fifo }

func (q *fifo) Pairs(n int) int   { return int(C.fifo_pairs(q.f, C.uint64_t(n))) }
func (q *fifo) Produce(n int)     { C.fifo_produce(q.f, C.uint64_t(n)) }
func (q *fifo) Consume(n int) int { return int(C.fifo_consume(q.f, C.uint64_t(n))) }

type ring struct{ r *C.struct_ring }

func (q *ring) Pairs(n int) int   { return int(C.ring_pairs(q.r, C.uint64_t(n))) }
func (q *ring) Produce(n int)     { C.ring_produce(q.r, C.uint64_t(n)) }
func (q *ring) Consume(n int) int { return int(C.ring_consume(q.r, C.uint64_t(n))) }
