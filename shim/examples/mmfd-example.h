/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the examples of libmmfd: functions of this program that run in another
 * address space, and what to say where there are none.
 *
 * Such a function is copied, so it may use its arguments, its stack, and other
 * functions of the kind only: no variables, no strings, no library. What runs
 * there has no thread pointer; libmmfd.mk compiles the examples accordingly.
 */
#ifndef _MMFD_EXAMPLE_H
#define _MMFD_EXAMPLE_H

#include <errno.h>
#include <mmfd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#define GUEST __attribute__((section("guest"), noinline, used))

/* Set by the linker: where the functions of that section begin and end */
extern const char __start_guest[], __stop_guest[];

/* Likewise, of all code of this program */
extern const char __executable_start[], etext[];

#define GUEST_CODE 0x10000UL

/* Exit code where the kernel lacks CONFIG_MMFD; that of timens(1) too */
#define EXIT_NO_FEATURE 124

/* Where a function is in the copy. */
#define GUEST_ADDRESS(fn) \
	(GUEST_CODE + ((uintptr_t)(fn) - (uintptr_t)__start_guest))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline size_t guest_code_length(void)
{
	return (uintptr_t)__stop_guest - (uintptr_t)__start_guest;
}

/* In whole pages */
static inline size_t guest_code_size(void)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (guest_code_length() + page - 1) & -page;
}

/* A memfd with the code at its start and @more bytes behind it, or -1. */
static inline int guest_memory(size_t more)
{
	size_t len = guest_code_length();
	int fd = memfd_create("guest", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (!ftruncate(fd, guest_code_size() + more) &&
	    pwrite(fd, __start_guest, len, 0) == (ssize_t)len)
		return fd;
	close(fd);
	return -1;
}

/*
 * guest_map - the guest's code at GUEST_CODE, and memory for its data
 * @space: where it is to run
 * @addr: where its data is to be
 * @size: of that
 * @view: set to where the caller has it
 *
 * Return: 0 or a negative errno.
 */
static inline int guest_map(int space, unsigned long addr, size_t size,
			    void **view)
{
	size_t code = guest_code_size();
	int err, memory = guest_memory(size);

	if (memory < 0)
		return -errno;
	err = mmfd_map(space, GUEST_CODE, code, PROT_READ | PROT_EXEC,
		       MMFD_MAP_SHARED, memory, 0);
	if (!err)
		err = mmfd_map(space, addr, size, PROT_READ | PROT_WRITE,
			       MMFD_MAP_SHARED, memory, code);
	*view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory,
		     code);
	if (!err && *view == MAP_FAILED)
		err = -errno;
	close(memory);
	return err;
}

static GUEST long guest_call(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return ret;
}

/* Says why there is no guest, and returns the exit code. */
static inline int example_fail(const char *name, int err)
{
	struct utsname kernel;

	if (err != ENODEV && err != ENOSYS) {
		fprintf(stderr, "%s: %s\n", name, strerror(err));
		return 1;
	}
	uname(&kernel);
	fprintf(stderr,
		"%s: kernel %s lacks CONFIG_MMFD, so there are no "
		"address spaces to run code in; boot a kernel that has it\n",
		name, kernel.release);
	return EXIT_NO_FEATURE;
}

#endif /* _MMFD_EXAMPLE_H */
