/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the fuzzer share: random numbers, its objects, and how it
 * tells what went wrong.
 */
#ifndef MMFD_FUZZ_H
#define MMFD_FUZZ_H

#include <signal.h>
#include <stdatomic.h>

#define MMFD_NO_HARNESS
#include "mmfd_test.h"
#include "../kselftest.h"

#define NR_SLOTS	12	/* descriptors it has, of any kind */
#define NR_PAGES	6	/* places for run pages, always mapped */
#define NR_REASONS	5
#define GUEST_MEM	4UL	/* pages of memory of the guests */

/**
 * struct fuzz - One process of the fuzzer
 * @rng:	State of its random numbers
 * @seed:	What they began with
 * @dev:	/dev/mmfd
 * @slots:	Descriptors, or -1
 * @runs:	Run pages, or memory of no one
 * @run_of:	The slot of the virtual CPU that @runs is of, or -1
 * @mem:	memfd with the guests' memory
 * @view:	Home's view of it
 * @op:		Operations so far, shared with who waits for this process, and how
 *		often mmfd_run() came back for each reason, or (0) was refused
 * @noisy:	Another thread may write to @runs and @view
 * @active:	How many threads may be at it
 * @child:	It is a child of the process, and has one thread only
 */
struct fuzz {
	uint64_t rng;
	uint64_t seed;
	int dev;
	atomic_int slots[NR_SLOTS];
	struct mmfd_run *runs[NR_PAGES];
	int run_of[NR_PAGES];
	int mem;
	uint8_t *view;
	atomic_uint_fast64_t *op;	/* of 1 + NR_REASONS */
	atomic_bool noisy;
	atomic_int active;
	bool child;
};

/**
 * struct fuzz_op - One operation
 * @weight:	How often, in relation to others
 * @op:		It
 */
struct fuzz_op {
	unsigned int weight;
	void (*op)(struct fuzz *f);
};

/* xorshift64*: the same everywhere */
static inline uint64_t rnd64(uint64_t *rng)
{
	*rng ^= *rng >> 12;
	*rng ^= *rng << 25;
	*rng ^= *rng >> 27;
	return *rng * 0x2545f4914f6cdd1dUL;
}

static inline uint32_t rnd(uint64_t *rng, uint32_t below)
{
	return (rnd64(rng) >> 32) % below;
}

static inline bool one_in(uint64_t *rng, uint32_t n)
{
	return !rnd(rng, n);
}

/*
 * QEMU's own emulation of far returns and calls looks at the stack as the kernel
 * would, in version 7.2 at least: one that user code makes is fatal to any kernel.
 * So guests there have none, and cannot write what they execute.
 */
extern bool no_far_returns;
void find_emulator(void);

/* A value that is a bound of something, or next to one, or anything */
uint64_t odd_value(uint64_t *rng);

void __attribute__((noreturn, format(printf, 2, 3)))
fuzz_fail(struct fuzz *f, const char *format, ...);

/* mmfd_fuzz_run.c */
void fuzz_regs(uint64_t *rng, struct mmfd_regs *regs);
void fuzz_code(uint64_t *rng, uint8_t *code, unsigned int size, bool in_use);
void fuzz_run(struct fuzz *f, int fd, unsigned int flags, struct mmfd_run *run);

/* mmfd_fuzz_ops.c; the last one has weight 0 */
extern const struct fuzz_op fuzz_ops[];
void op_guest(struct fuzz *f);
void op_run(struct fuzz *f);
void op_switch(struct fuzz *f);
void op_timer(struct fuzz *f);

/* mmfd_fuzz_frames.c */
void op_frames(struct fuzz *f);

/* mmfd_fuzz.c */
void op_fork(struct fuzz *f);

/* Of the linker */
extern const uint8_t __executable_start[], etext[];

/* mmfd_fuzz_home.c */
void home_init(void);
void home_check(struct fuzz *f);

#endif /* MMFD_FUZZ_H */
