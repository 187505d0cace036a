// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual interrupt controller: a flag, and events that wait for it.
 *
 * The flag is written by one thread only, and by signal handlers that interrupt
 * it; these leave it as they found it. So it needs no atomic operation, only an
 * order in which a handler sees things. Events may come from any thread.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "internal.h"
#include "pic.h"

/*
 * Of the calling thread. A handler reads it, so it must not be allocated at the
 * first use.
 */
static __thread struct mmfd_pic *bound
	__attribute__((tls_model("initial-exec")));

/* What was stored before is seen by a handler that comes after, and vice versa. */
static void handler_barrier(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static void set_flag(struct mmfd_pic *pic, bool on)
{
	handler_barrier();
	atomic_store_explicit(&pic->on, on, memory_order_relaxed);
	handler_barrier();
}

bool mmfd_pic_enabled(const struct mmfd_pic *pic)
{
	return atomic_load_explicit(&pic->on, memory_order_relaxed);
}

uint64_t mmfd_pic_pending(const struct mmfd_pic *pic)
{
	return atomic_load_explicit(&pic->pending, memory_order_acquire);
}

/* First the count, then the bit: who finds the bit finds the count. */
void mm_pic_record(struct mmfd_pic *pic, unsigned int line)
{
	atomic_fetch_add(&pic->count[line], 1);
	atomic_fetch_or(&pic->pending, 1ULL << line);
}

/* The other way around. There may be none left: somebody interrupted us here. */
static uint64_t take(struct mmfd_pic *pic, unsigned int line)
{
	atomic_fetch_and(&pic->pending, ~(1ULL << line));
	return atomic_exchange(&pic->count[line], 0);
}

/* Delivers what is pending, each with the flag off, and leaves it so. */
void mm_pic_drain(struct mmfd_pic *pic)
{
	unsigned int line;
	uint64_t lines, count;

	while ((lines = mmfd_pic_pending(pic))) {
		set_flag(pic, false);
		line = __builtin_ctzll(lines);
		count = take(pic, line);
		if (count)
			pic->fn(line, count, pic->arg);
	}
}

void mmfd_pic_enable(struct mmfd_pic *pic)
{
	do {
		mm_pic_drain(pic);
		set_flag(pic, true);
	} while (mmfd_pic_pending(pic));
}

bool mmfd_pic_disable(struct mmfd_pic *pic)
{
	bool on = mmfd_pic_enabled(pic);

	set_flag(pic, false);
	return on;
}

int mmfd_pic_raise(struct mmfd_pic *pic, unsigned int line)
{
	if (line >= MMFD_PIC_LINES)
		return -EINVAL;
	mm_pic_record(pic, line);
	if (pic == bound && mmfd_pic_enabled(pic))
		mmfd_pic_enable(pic);
	return 0;
}

int mmfd_pic_create(mmfd_pic_fn fn, void *arg, struct mmfd_pic **pic)
{
	struct mmfd_pic *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->fn = fn;
	new->arg = arg;
	*pic = new;
	return 0;
}

void mmfd_pic_destroy(struct mmfd_pic *pic)
{
	if (!pic)
		return;
	mm_pic_release_signals(pic);
	if (bound == pic)
		mmfd_pic_bind(NULL);
	free(pic);
}

void mmfd_pic_bind(struct mmfd_pic *pic)
{
	handler_barrier();
	bound = pic;
	handler_barrier();
}

struct mmfd_pic *mm_pic_bound(void)
{
	return bound;
}

/*
 * A run must not begin after a signal that the caller has not seen. One that
 * comes before the page is noted here is in @noted, one that comes later sets
 * immediate_exit itself.
 */
void mm_pic_enter(struct mmfd_run *page)
{
	struct mmfd_pic *pic = bound;

	if (!pic)
		return;
	if (mmfd_pic_enabled(pic))
		mmfd_pic_enable(pic);
	pic->page = page;
	handler_barrier();
	if (pic->noted)
		mm_pic_note(pic);
}

void mm_pic_leave(void)
{
	struct mmfd_pic *pic = bound;

	if (!pic)
		return;
	pic->page = NULL;
	handler_barrier();
	pic->noted = false;
	handler_barrier();
}

/* A handler that did not return may have left it there. */
void mm_pic_forget(const struct mmfd_run *page)
{
	if (bound && bound->page == page)
		mm_pic_forget_all();
}

void mm_pic_forget_all(void)
{
	if (bound)
		bound->page = NULL;
	handler_barrier();
}

/* The calling thread, whose controller it is, has accepted a signal. */
void mm_pic_note(struct mmfd_pic *pic)
{
	pic->noted = true;
	handler_barrier();
	if (pic->page)
		__atomic_store_n(&pic->page->immediate_exit, 1,
				 __ATOMIC_RELAXED);
}
