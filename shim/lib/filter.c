// SPDX-License-Identifier: GPL-2.0
/* Seccomp filters made from the table of calls that may pass. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/timens_pass.h>

#include "internal.h"

#ifndef SECCOMP_FILTER_FLAG_TRAP_FAILED
#define SECCOMP_FILTER_FLAG_TRAP_FAILED 0x40UL
#endif

#define LIMIT_ALIGN 0x100000000ULL

/* Statements; the longest filter needs about half. */
#define FILTER_MAX 1024

/* Bounds of one call, as libseccomp wants them. */
struct bounds {
	struct scmp_arg_cmp cmp[2];
	unsigned int n;
};

static void add_bound(struct bounds *bounds, unsigned int arg,
		      enum scmp_compare op, scmp_datum_t datum)
{
	bounds->cmp[bounds->n++] =
		(struct scmp_arg_cmp){ .arg = arg, .op = op, .datum_a = datum };
}

static void bound_arg(struct bounds *bounds, unsigned int arg,
		      enum timens_pass_kind kind, uint64_t limit, int clock)
{
	switch (kind) {
	case TIMENS_PASS_NONE:
		break;
	case TIMENS_PASS_PTR:
		if (limit)
			add_bound(bounds, arg, SCMP_CMP_LT, limit);
		break;
	case TIMENS_PASS_ZERO:
		add_bound(bounds, arg, SCMP_CMP_EQ, 0);
		break;
	case TIMENS_PASS_CLOCK:
		add_bound(bounds, arg, SCMP_CMP_EQ, clock);
		break;
	}
}

static int allow_call(scmp_filter_ctx ctx, const struct timens_pass *call,
		      uint64_t limit, int clock)
{
	struct bounds bounds = { .n = 0 };

	bound_arg(&bounds, 0, call->kind[0], limit, clock);
	bound_arg(&bounds, 1, call->kind[1], limit, clock);
	return seccomp_rule_add_exact_array(ctx, SCMP_ACT_ALLOW, call->nr,
					    bounds.n, bounds.cmp);
}

static bool takes_clock(const struct timens_pass *call)
{
	return call->kind[0] == TIMENS_PASS_CLOCK ||
	       call->kind[1] == TIMENS_PASS_CLOCK;
}

#define CLOCK_ID(ctx, clock, id, left) id,

static int allow_table(scmp_filter_ctx ctx, uint64_t limit)
{
	static const int clocks[] = { TIMENS_PASS_CLOCKS(CLOCK_ID, 0) };
	size_t i, j, n;
	const struct timens_pass *call = timens_policy(&n);
	int ret = 0;

	for (i = 0; !ret && i < n; i++, call++) {
		size_t variants = takes_clock(call) ? ARRAY_SIZE(clocks) : 1;

		for (j = 0; !ret && j < variants; j++)
			ret = allow_call(ctx, call, limit, clocks[j]);
	}
	return ret;
}

int tns_new_filter(scmp_filter_ctx *ctx, uint32_t action)
{
	int ret;

	if (action == SECCOMP_RET_ALLOW)
		return -EINVAL;
	*ctx = seccomp_init(action);
	if (!*ctx)
		return -EINVAL;
	ret = seccomp_attr_set(*ctx, SCMP_FLTATR_ACT_BADARCH, action);
	if (ret)
		seccomp_release(*ctx);
	return ret;
}

/* A filter that allows the table's calls. */
static int make_filter(scmp_filter_ctx *ctx, uint32_t action, uint64_t limit)
{
	int ret;

	if (limit % LIMIT_ALIGN)
		return -EINVAL;
	ret = tns_new_filter(ctx, action);
	if (ret)
		return ret;
	ret = allow_table(*ctx, limit);
	if (ret)
		seccomp_release(*ctx);
	return ret;
}

int timens_filter_export(int fd, uint32_t action, uint64_t addr_limit)
{
	scmp_filter_ctx ctx;
	int ret = make_filter(&ctx, action, addr_limit);

	if (ret)
		return ret;
	ret = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	return ret;
}

/*
 * libseccomp's own seccomp_load() knows no flags beyond its attributes, so load
 * what it exports.
 */
static int install(struct sock_filter *filter, size_t size, unsigned long flags)
{
	struct sock_fprog prog = {
		.len = size / sizeof(*filter),
		.filter = filter,
	};

	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog))
		return 0;
	if (errno != EINVAL || !flags)
		return -errno;
	/* A kernel that knows the flags looks at the pointer next. */
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL);
	return errno == EFAULT ? -EINVAL : -EOPNOTSUPP;
}

int tns_load_filter(scmp_filter_ctx ctx, unsigned long flags)
{
	struct sock_filter filter[FILTER_MAX];
	ssize_t size = 0;
	int fd, ret;

	fd = memfd_create("timens-filter", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(ctx, fd);
	if (!ret) {
		size = pread(fd, filter, sizeof(filter), 0);
		if (size < 0)
			ret = -errno;
		else if (size == sizeof(filter))
			ret = -E2BIG; /* or more was there */
	}
	close(fd); /* now: the filter may not allow it later */
	return ret ? ret : install(filter, size, flags);
}

int timens_filter_load(uint32_t action, uint64_t addr_limit, unsigned int flags)
{
	scmp_filter_ctx ctx;
	int ret;

	if (flags & ~TIMENS_FILTER_TRAP_FAILED)
		return -EINVAL;
	ret = make_filter(&ctx, action, addr_limit);
	if (ret)
		return ret;
	ret = tns_load_filter(ctx, flags & TIMENS_FILTER_TRAP_FAILED ?
					   SECCOMP_FILTER_FLAG_TRAP_FAILED :
					   0);
	seccomp_release(ctx);
	return ret;
}
