/* SPDX-License-Identifier: GPL-2.0 */
/* For the checks of libmmfd: an address space with a page of code and one of data. */
#ifndef _MMFD_GUEST_H
#define _MMFD_GUEST_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mmfd.h>

#include "check.h"

#define PAGE	   4096UL
#define GUEST_CODE 0x10000UL
#define GUEST_DATA 0x20000UL
#define GUEST_NONE 0x30000UL /* nothing is there */

#define READ_WRITE (MMFD_PROT_READ | MMFD_PROT_WRITE)
#define READ_EXEC  (MMFD_PROT_READ | MMFD_PROT_EXEC)

/**
 * struct guest - an address space and a virtual CPU
 * @dev: the device
 * @space: the address space
 * @memory: memfd of two pages, code and data
 * @code: the first as mapped here; the second is behind it
 * @vcpu: its virtual CPU
 * @page: run page of that
 */
struct guest {
	int dev, space, memory;
	uint8_t *code;
	struct mmfd_vcpu *vcpu;
	struct mmfd_run *page;
};

static inline bool guest_open(struct guest *g, unsigned int pass)
{
	int err;

	g->dev = mmfd_open();
	g->space = g->dev < 0 ? g->dev : mmfd_create(g->dev, 0);
	if (!check(g->space >= 0, "no address space: %s", strerror(-g->space)))
		return false;
	g->memory = memfd_create("guest", MFD_CLOEXEC);
	check(!ftruncate(g->memory, 2 * PAGE), "ftruncate");
	g->code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       g->memory, 0);
	err = mmfd_map(g->space, GUEST_CODE, PAGE, READ_EXEC, MMFD_MAP_SHARED,
		       g->memory, 0);
	check(!err, "map code: %s", strerror(-err));
	err = mmfd_map(g->space, GUEST_DATA, PAGE, READ_WRITE, MMFD_MAP_SHARED,
		       g->memory, PAGE);
	check(!err, "map data: %s", strerror(-err));
	err = mmfd_vcpu_create(g->space, 0, pass, &g->vcpu);
	if (!check(!err, "no virtual CPU: %s", strerror(-err)))
		return false;
	g->page = mmfd_vcpu_page(g->vcpu);
	return true;
}

static inline void guest_close(struct guest *g)
{
	mmfd_vcpu_destroy(g->vcpu);
	munmap(g->code, 2 * PAGE);
	close(g->memory);
	close(g->space);
	close(g->dev);
}

static inline void guest_load(struct guest *g, const void *code, size_t len)
{
	memset(g->code, 0x0f, PAGE);
	memcpy(g->code, code, len);
	memset(&g->page->regs, 0, sizeof(g->page->regs));
	g->page->regs.rip = GUEST_CODE;
	g->page->regs.rsp = GUEST_DATA + PAGE;
}

/* CODE is a string, for its bytes */
#define GUEST_LOAD(g, code) guest_load(g, code, sizeof(code) - 1)

#define X_SYSCALL "\x0f\x05"
#define X_SPIN	  "\x48\xff\xc3\xeb\xfb" /* inc %rbx; jmp back */

static inline void check_run(struct guest *g, int want, const char *what)
{
	int reason;

	do {
		reason = mmfd_vcpu_run(g->vcpu);
	} while (reason == MMFD_EXIT_INTERRUPTED && reason != want);
	check(reason == want, "%s: ended with %d, not %d", what, reason, want);
}

#endif /* _MMFD_GUEST_H */
