// SPDX-License-Identifier: GPL-2.0
/*
 * Sandboxes, what mmfd/compat.h is made of: an address space and its virtual CPU
 * by a number.
 *
 * A number has a bit that no descriptor has, how often its place has been used,
 * and the place in the table; so one that is out of date is refused.
 */
#include <errno.h>
#include <mmfd/compat.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define NUMBER_MARK 0x40000000
#define USES	    (NUMBER_MARK / SANDBOX_MAX)

#define MAP_KNOWN                                               \
	(MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | \
	 MAP_FIXED_NOREPLACE)

_Static_assert(offsetof(struct sandbox_params, ebx) ==
		       offsetof(struct sandbox_params, regs.rbx),
	       "ebx is RBX");
_Static_assert(offsetof(struct sandbox_params, eax) ==
		       offsetof(struct sandbox_params, regs.rax),
	       "eax is RAX");

/**
 * struct sandbox - a place in the table
 * @space: descriptor of the address space
 * @born: mm_generation() of the process whose it is
 * @uses: how often the place has been used, modulo USES
 * @users: calls that use it now
 * @taken: there is a sandbox
 * @inside: a thread is in run_sandbox()
 * @vcpu: its virtual CPU; used by who has set @inside
 *
 * All but @inside and what @vcpu points to are under lock.
 */
struct sandbox {
	int space;
	unsigned int born;
	unsigned int uses;
	unsigned int users;
	bool taken;
	atomic_flag inside;
	struct mmfd_vcpu *vcpu;
};

static struct sandbox sandboxes[SANDBOX_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_table(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_table(void)
{
	pthread_mutex_unlock(&lock);
}

/* A child finds the table as whole as a thread does. */
static void watch_table(void)
{
	pthread_atfork(lock_table, unlock_table, unlock_table);
}

static int number_of(const struct sandbox *box)
{
	return NUMBER_MARK | (box->uses * SANDBOX_MAX) | (box - sandboxes);
}

static int get(int number, struct sandbox **found)
{
	struct sandbox *box = &sandboxes[(unsigned int)number % SANDBOX_MAX];
	int err = 0;

	lock_table();
	if (!box->taken || number_of(box) != number)
		err = -EBADF;
	else if (box->born != mm_generation())
		err = -ECHILD;
	else
		box->users++;
	unlock_table();
	*found = box;
	return err;
}

static void put(struct sandbox *box)
{
	lock_table();
	box->users--;
	unlock_table();
}

static int open_space(void)
{
	int dev = mmfd_open(), space;

	if (dev < 0)
		return dev;
	space = mmfd_create(dev, 0);
	close(dev);
	return space;
}

static int fill(struct sandbox *box)
{
	int err, space = open_space();

	if (space < 0)
		return space;
	err = mmfd_vcpu_create(space, 0, 0, &box->vcpu);
	if (err) {
		close(space);
		return err;
	}
	box->space = space;
	box->born = mm_generation();
	box->users = 0;
	box->uses = (box->uses + 1) % USES;
	atomic_flag_clear(&box->inside);
	box->taken = true;
	return number_of(box);
}

static int fill_free(void)
{
	size_t i;

	for (i = 0; i < SANDBOX_MAX; i++) {
		if (!sandboxes[i].taken)
			return fill(&sandboxes[i]);
	}
	return -ENOSPC;
}

int mmfd_sandbox_create(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int number;

	pthread_once(&once, watch_table);
	mm_watch_forks();
	lock_table();
	number = fill_free();
	unlock_table();
	return number;
}

int mmfd_sandbox_destroy(int address_space)
{
	struct sandbox *box;
	int err;

	err = get(address_space, &box);
	if (err)
		return err;
	lock_table();
	box->users--;
	if (box->users) {
		err = -EBUSY;
	} else {
		mmfd_vcpu_destroy(box->vcpu);
		close(box->space);
		box->taken = false;
	}
	unlock_table();
	return err;
}

/* Return: MMFD_MAP_*, or -EINVAL. */
static int map_flags(int flags)
{
	int known = MMFD_MAP_NOREPLACE;

	if (flags & ~MAP_KNOWN)
		return -EINVAL;
	if (flags & MAP_FIXED && !(flags & MAP_FIXED_NOREPLACE))
		known = 0;
	if (flags & MAP_SHARED)
		known |= MMFD_MAP_SHARED;
	if (flags & MAP_PRIVATE)
		known |= MMFD_MAP_PRIVATE;
	if (flags & MAP_ANONYMOUS)
		known |= MMFD_MAP_ANONYMOUS;
	return known;
}

/* 0 if there is no such length. */
static uint64_t whole_pages(size_t length)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	return (length + page - 1) & -page;
}

int mmfd_sandbox_map(int address_space, void *start, size_t length, int prot,
		     int flags, int fd, off_t offset)
{
	int err, known = map_flags(flags);
	struct sandbox *box;

	if (known < 0)
		return known;
	/* mmap(2) ignores them too. */
	if (flags & MAP_ANONYMOUS) {
		fd = -1;
		offset = 0;
	}
	err = get(address_space, &box);
	if (err)
		return err;
	err = mmfd_map(box->space, (uintptr_t)start, whole_pages(length), prot,
		       known, fd, offset);
	put(box);
	return err;
}

int mmfd_sandbox_unmap(int address_space, void *start, size_t length)
{
	struct sandbox *box;
	int err;

	err = get(address_space, &box);
	if (err)
		return err;
	err = mmfd_unmap(box->space, (uintptr_t)start, whole_pages(length));
	put(box);
	return err;
}

static void tell(struct sandbox_params *params, int reason,
		 const struct mmfd_run *page)
{
	params->return_reason = reason;
	params->return_data = 0;
	params->return_arch = 0;
	params->return_signal = 0;
	params->return_address = 0;
	switch (reason) {
	case SANDBOX_SYSCALL:
		params->return_data = page->nr;
		params->return_arch = page->arch;
		break;
	case SANDBOX_FAULT:
		params->return_data = page->error_code;
		params->return_signal = page->signo;
		params->return_address = page->addr;
		break;
	case SANDBOX_EXCEPTION:
		params->return_data = page->vector;
		params->return_signal = page->signo;
		break;
	}
	params->regs = page->regs;
}

static int run(struct sandbox *box, struct sandbox_params *params)
{
	struct mmfd_run *page = mmfd_vcpu_page(box->vcpu);
	int reason;

	page->regs = params->regs;
	reason = mmfd_vcpu_run(box->vcpu);
	if (reason < 0)
		return reason;
	tell(params, reason, page);
	return 0;
}

int mmfd_sandbox_run(int address_space, struct sandbox_params *params)
{
	struct sandbox *box;
	int err;

	err = get(address_space, &box);
	if (err)
		return err;
	if (atomic_flag_test_and_set(&box->inside)) {
		err = -EBUSY;
	} else {
		err = run(box, params);
		atomic_flag_clear(&box->inside);
	}
	put(box);
	return err;
}
