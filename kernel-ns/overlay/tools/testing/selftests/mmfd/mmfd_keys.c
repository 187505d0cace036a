// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: protection keys of the supervisor, on processors that have them.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "mmfd_test.h"

static bool has_pkeys(void)
{
	uint32_t eax = 7, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	return ecx & (1 << 4);		/* OSPKE */
}

static uint32_t get_pkru(void)
{
	uint32_t eax, edx;

	asm volatile("rdpkru" : "=a" (eax), "=d" (edx) : "c" (0));
	return eax;
}

static void set_pkru(uint32_t pkru)
{
	asm volatile("wrpkru" : : "a" (pkru), "c" (0), "d" (0) : "memory");
}

FIXTURE(keys)
{
	struct guest g;
};

FIXTURE_SETUP(keys)
{
	if (!has_pkeys())
		SKIP(return, "no protection keys");
	ASSERT_TRUE(guest_init(&self->g, 0))
		TH_LOG("no guest: %s", strerror(errno));
}

FIXTURE_TEARDOWN(keys)
{
	guest_exit(&self->g);
}

/* What may be executed only takes a key, and that is none of the caller's. */
TEST_F(keys, changes_from_outside_do_not_touch_protection_keys)
{
	uint32_t pkru;

	pkru = get_pkru();
	set_pkru(pkru & ~0xfffc);	/* keys 1 to 7 are open */
	pkru = get_pkru();
	EXPECT_EQ(0, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_EXEC, self->g.mem, 0));
	EXPECT_EQ(pkru, get_pkru());
	EXPECT_EQ(0, guest_protect(self->g.mm, GUEST_CODE, PAGE, PROT_EXEC));
	EXPECT_EQ(pkru, get_pkru());
}

/* rdpkru; mov %eax,%ebx; xor %eax,%eax; wrpkru; syscall */
TEST_F(keys, protection_keys_of_the_supervisor_stay)
{
	uint32_t pkru;
	int i;

	set_pkru(0x55555550);
	pkru = get_pkru();
	EXPECT_EQ(0x55555550, pkru);
	for (i = 0; i < 10; i++) {
		guest_load(&self->g, 0x0f, 0x01, 0xee, 0x89, 0xc3, 0x31, 0xc0,
			   0x0f, 0x01, 0xef, X_SYSCALL);
		ASSERT_EQ(0, mmfd_run(self->g.vcpu));
		ASSERT_EQ(MMFD_EXIT_SYSCALL, self->g.run->reason);
		/* what a process has at first: all but key 0 shut */
		EXPECT_EQ(0x55555554, self->g.run->regs.rbx);
		EXPECT_EQ(pkru, get_pkru());
		sched_yield();
	}
}

TEST_HARNESS_MAIN
