// SPDX-License-Identifier: GPL-2.0
/*
 * The two filters made from the table of calls that may pass, libseccomp's and
 * TIMENS_PASS_BPF, decide alike, and as the table says. Both are interpreted
 * here; none is loaded.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/timens_pass.h>
#include <timens.h>

#include "check.h"

#define MAX_FILTER 512
#define LIMIT	   0x7f0000000000ULL

struct program {
	struct sock_filter filter[MAX_FILTER];
	size_t len;
};

static int condition(const struct sock_filter *f, __u32 a)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == f->k;
	case BPF_JGT:
		return a > f->k;
	case BPF_JGE:
		return a >= f->k;
	default:
		return !!(a & f->k);
	}
}

/* The value that the filter returns; 0 for a filter that is not well formed. */
static __u32 interpret(const struct program *prog,
		       const struct seccomp_data *data)
{
	const struct sock_filter *f;
	__u32 a = 0;
	size_t pc;

	for (pc = 0; pc < prog->len; pc++) {
		f = &prog->filter[pc];
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			if (f->k + sizeof(a) > sizeof(*data))
				return 0;
			memcpy(&a, (const char *)data + f->k, sizeof(a));
			break;
		case BPF_JMP:
			if (BPF_OP(f->code) == BPF_JA)
				pc += f->k;
			else
				pc += condition(f, a) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return f->k;
		default:
			return 0;
		}
	}
	return 0;
}

static void load_table(struct program *prog, __u64 limit)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		TIMENS_PASS_BPF(limit)
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};

	memcpy(prog->filter, filter, sizeof(filter));
	prog->len = ARRAY_SIZE(filter);
}

static int load_library(struct program *prog, __u64 limit)
{
	ssize_t size = -1;
	int fd = memfd_create("filter", 0);

	if (!timens_filter_export(fd, SECCOMP_RET_TRAP, limit))
		size = pread(fd, prog->filter, sizeof(prog->filter), 0);
	close(fd);
	prog->len = size / sizeof(prog->filter[0]);
	return check(size > 0, "export for limit %#llx",
		     (unsigned long long)limit);
}

/* What the table says in words, written out a second time. */
static int may_pass(int nr, const __u64 *arg, __u64 limit)
{
	int ok0 = !limit || arg[0] < limit, ok1 = !limit || arg[1] < limit;

	switch (nr) {
	case SYS_gettimeofday:
	case SYS_settimeofday:
		return ok0 && !arg[1];
	case SYS_clock_gettime:
		return (arg[0] <= 1 || (arg[0] >= 5 && arg[0] <= 7) ||
			arg[0] == 11) &&
		       ok1;
	case SYS_time:
		return ok0;
	default:
		return 0;
	}
}

static const int calls[] = {
	SYS_gettimeofday,
	SYS_clock_gettime,
	SYS_time,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_getres,
	SYS_adjtimex,
	SYS_getppid,
	SYS_read,
	SYS_exit_group,
	SYS_gettimeofday | 0x40000000,
};

static const __u64 values[] = {
	0,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	16,
	33,
	0x80000001,
	0x100000006,
	0x10000000b,
	0x1000,
	0xffffffff,
	0x80000000,
	0x100000000,
	0x100000001,
	0x100000005,
	0x7effffffffff,
	LIMIT - 8,
	LIMIT,
	LIMIT + 5,
	0x7fffffffffff,
	0x800000000000,
	0xffff888000000000,
	0xffffffff00000000,
	0xffffffff00000005,
	~0ULL,
	~1ULL,
	~5ULL,
};

static void check_limit(__u64 limit)
{
	struct program table, library;
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };
	size_t c, i, j;

	load_table(&table, limit);
	if (!load_library(&library, limit))
		return;
	for (c = 0; c < ARRAY_SIZE(calls); c++)
		for (i = 0; i < ARRAY_SIZE(values); i++)
			for (j = 0; j < ARRAY_SIZE(values); j++) {
				__u32 want, t, l;

				data.nr = calls[c];
				data.args[0] = values[i];
				data.args[1] = values[j];
				want = may_pass(calls[c], data.args, limit) ?
					       SECCOMP_RET_ALLOW :
					       SECCOMP_RET_TRAP;
				t = interpret(&table, &data);
				l = interpret(&library, &data);
				check(t == want && l == want,
				      "limit %#llx: %d(%#llx, %#llx): table %#x, library "
				      "%#x, not %#x",
				      (unsigned long long)limit, calls[c],
				      (unsigned long long)values[i],
				      (unsigned long long)values[j], t, l,
				      want);
			}
}

/* 32-bit programs have other numbers; none of their calls passes. */
static void check_other_arch(void)
{
	struct seccomp_data data = { .arch = AUDIT_ARCH_I386 };
	struct program library;

	if (!load_library(&library, 0))
		return;
	for (data.nr = 0; data.nr < 500; data.nr++)
		check(interpret(&library, &data) == SECCOMP_RET_TRAP,
		      "i386 call %d passes", data.nr);
}

static void check_policy(void)
{
	size_t n = 0;
	const struct timens_pass *call = timens_policy(&n);

	check(n == 4, "%zu calls in the table", n);
	check(!strcmp(call->name, "gettimeofday"), "the first is %s",
	      call->name);
	check(call->nr == SYS_gettimeofday, "its number is %d", call->nr);
}

static void check_arguments(void)
{
	check(timens_filter_export(1, SECCOMP_RET_ALLOW, 0) == -EINVAL,
	      "allow as the default action");
	check(timens_filter_export(1, SECCOMP_RET_TRAP, 4096) == -EINVAL,
	      "a limit that is no multiple of 4 GiB");
	check(timens_filter_export(-1, SECCOMP_RET_TRAP, 0) < 0,
	      "export to a bad descriptor");
	check(timens_filter_load(SECCOMP_RET_TRAP, 0, 0x80) == -EINVAL,
	      "an unknown flag");
	check(timens_filter_load(SECCOMP_RET_ALLOW, 0, 0) == -EINVAL,
	      "load with allow as the default action");
}

int main(void)
{
	check_limit(0);
	check_limit(LIMIT);
	check_limit(1ULL << 32);
	check_limit(1ULL << 63);
	check_other_arch();
	check_policy();
	check_arguments();
	return check_result();
}
