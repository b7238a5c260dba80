//go:build ck && cgo

package ck

// #cgo CFLAGS: -O2 -pthread
// #cgo LDFLAGS: -lck -pthread
//
// #include <stdlib.h>
// #include <ck_ht.h>
// #include <ck_pr.h>
//
// struct entry { uint64_t id, word, step, pad[5]; };
//
// #define ACTIVE (1u << 23)
// #define NEED (ACTIVE | 1 | 2)
//
// static void *allocate(size_t n) { return aligned_alloc(64, (n + 63) & ~(size_t)63); }
// static void release(void *p, size_t n, bool defer) { free(p); }
// static struct ck_malloc memory = { .malloc = allocate, .free = release };
//
// struct table { ck_ht_t ht; };
//
// static struct table *make(uint64_t n)
// {
// 	struct table *t = malloc(sizeof *t);
// 	if (!ck_ht_init(&t->ht, CK_HT_MODE_DIRECT, 0, &memory, 2 * n, 6602834))
// 		abort();
// 	return t;
// }
//
// static void put(struct table *t, uint64_t id)
// {
// 	ck_ht_hash_t h;
// 	ck_ht_entry_t e;
// 	struct entry *n = allocate(sizeof *n);
// 	*n = (struct entry){ .id = id, .word = ACTIVE | 0xff };
// 	ck_ht_hash_direct(&h, &t->ht, id);
// 	ck_ht_entry_set_direct(&e, h, id, (uintptr_t)n);
// 	if (!ck_ht_put_spmc(&t->ht, h, &e))
// 		abort();
// }
//
// static void destroy(struct table *t)
// {
// 	ck_ht_iterator_t i = CK_HT_ITERATOR_INITIALIZER;
// 	ck_ht_entry_t *e;
// 	while (ck_ht_next(&t->ht, &i, &e))
// 		free((void *)ck_ht_entry_value_direct(e));
// 	ck_ht_destroy(&t->ht);
// 	free(t);
// }
//
// static inline struct entry *get(struct table *t, uint64_t id)
// {
// 	ck_ht_hash_t h;
// 	ck_ht_entry_t e;
// 	ck_ht_hash_direct(&h, &t->ht, id);
// 	ck_ht_entry_key_set_direct(&e, id);
// 	if (!ck_ht_get_spmc(&t->ht, h, &e))
// 		return 0;
// 	struct entry *n = (void *)ck_ht_entry_value_direct(&e);
// 	return (ck_pr_load_64(&n->word) & NEED) == NEED ? n : 0;
// }
//
// static uint64_t look(struct table *t, uint64_t *seq, uint64_t mask, uint64_t from, uint64_t n)
// {
// 	uint64_t passed = 0;
// 	for (uint64_t i = 0; i < n; i++) {
// 		struct entry *e = get(t, seq[(from + i) & mask]);
// 		if (e)
// 			passed += 1 + e->step;
// 	}
// 	return passed;
// }
//
// static uint64_t chase(struct table *t, uint64_t *seq, uint64_t mask, uint64_t from, uint64_t n)
// {
// 	uint64_t passed = 0;
// 	for (uint64_t i = 0; i < n; i++) {
// 		struct entry *e = get(t, seq[from & mask]);
// 		if (e) {
// 			passed++;
// 			from += 1 + e->step;
// 		}
// 	}
// 	return passed;
// }
import "C"

import "pdac/test/bench/peers/table"

// Tables returns ck_ht, keyed by the identifier itself. It is built by one thread and measured
// without writers.
func Tables() []table.Kind {
	return []table.Kind{{Name: "ck_ht", Build: func(n int) (table.Table, []uint64) {
		t := &hashTable{C.make(C.uint64_t(n))}
		ids := table.Fill(n, func(id uint64) { C.put(t.t, C.uint64_t(id)) })
		return t, ids
	}}}
}

type hashTable struct {
	t *C.struct_table
}

func (t *hashTable) Read(_ int, seq []uint64, from, n int) int {
	return int(C.look(t.t, (*C.uint64_t)(&seq[0]), C.uint64_t(len(seq)-1), C.uint64_t(from), C.uint64_t(n)))
}

func (t *hashTable) Chase(_ int, seq []uint64, from, n int) int {
	return int(C.chase(t.t, (*C.uint64_t)(&seq[0]), C.uint64_t(len(seq)-1), C.uint64_t(from), C.uint64_t(n)))
}

func (t *hashTable) Close() error {
	C.destroy(t.t)
	return nil
}
