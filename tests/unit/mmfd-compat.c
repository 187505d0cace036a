// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of mmfd/compat.h: what they do, and what they refuse. Needs
 * CONFIG_MMFD and root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <mmfd/compat.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE 4096UL
#define CODE ((char *)0x10000UL)
#define DATA ((char *)0x20000UL)

#define ANYWHERE  (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_EXEC (PROT_READ | PROT_EXEC)

static const unsigned char code[] = {
	0x0f, 0x05,				  /* 0: syscall */
	0x48, 0x8b, 0x07,			  /* 2: mov (%rdi),%rax */
	0xcd, 0x80,				  /* 5: int $0x80 */
	0x0f, 0x0b,				  /* 7: ud2 */
	0x66, 0x48, 0x0f, 0x6e, 0xc3,		  /* 9: movq %rbx,%xmm0 */
	0x0f, 0x05, 0x66, 0x48, 0x0f, 0x7e, 0xc3, /* 16: movq %xmm0,%rbx */
	0x0f, 0x05, 0xeb, 0xfe,			  /* 23: jmp . */
};

static int space, memory;

static void expect(int ret, int err, const char *what)
{
	if (err)
		check(ret == -1 && errno == err, "%s: %d, %s", what, ret,
		      strerror(errno));
	else
		check(!ret, "%s: %d, %s", what, ret, strerror(errno));
}

static void expect_map(void *start, size_t length, int flags, int fd,
		       off_t offset, int err, const char *what)
{
	expect(fmmap(space, start, length, PROT_READ, flags, fd, offset), err,
	       what);
}

static void mappings(void)
{
	int null = open("/dev/null", O_RDWR);

	expect_map(DATA, 1, ANYWHERE, -1, 0, 0, "one byte");
	expect_map(DATA, PAGE, ANYWHERE, -1, 0, EEXIST, "in the same place");
	expect_map(DATA, PAGE, ANYWHERE | MAP_FIXED, -1, 0, 0, "MAP_FIXED");
	expect_map(DATA, PAGE, ANYWHERE | MAP_FIXED | MAP_FIXED_NOREPLACE, -1,
		   0, EEXIST, "MAP_FIXED_NOREPLACE");
	expect_map(DATA + PAGE, PAGE, MAP_SHARED, memory, 0, 0, "a file");
	expect_map(DATA, PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0, EINVAL,
		   "shared anonymous");
	expect_map(DATA, PAGE, ANYWHERE | MAP_GROWSDOWN, -1, 0, EINVAL,
		   "MAP_GROWSDOWN");
	expect_map(DATA, PAGE, MAP_PRIVATE, null, 0, EACCES, "/dev/null");
	expect_map(DATA, PAGE, MAP_PRIVATE, memory, 1, EINVAL, "offset 1");
	expect_map(DATA + 1, PAGE, ANYWHERE, -1, 0, EINVAL, "address 1");
	expect_map(DATA, 0, ANYWHERE, -1, 0, EINVAL, "no length");
	expect_map(DATA, -1UL, ANYWHERE, -1, 0, EINVAL, "too long");
	expect(fmunmap(space, DATA, 2 * PAGE), 0, "unmap");
	expect(fmunmap(space, DATA, PAGE), 0, "unmap nothing");
	expect(fmunmap(space, DATA, 0), EINVAL, "unmap no length");
	close(null);
}

static struct sandbox_params at(long offset)
{
	return (struct sandbox_params){
		.regs.rip = (uintptr_t)CODE + offset,
	};
}

static void run(struct sandbox_params *params, int reason, int data,
		const char *what)
{
	int ret;

	do {
		ret = run_sandbox(space, params);
	} while (!ret && params->return_reason == SANDBOX_INTERRUPTED);
	expect(ret, 0, what);
	check(params->return_reason == reason && params->return_data == data,
	      "%s: reason %d, data %d", what, params->return_reason,
	      params->return_data);
}

static void traps(void)
{
	struct sandbox_params p = at(0);

	p.eax = 77;
	p.ebx = 0x123456789abcdef0;
	run(&p, SANDBOX_SYSCALL, 77, "syscall");
	check(p.return_arch == AUDIT_ARCH_X86_64, "arch %x", p.return_arch);
	check(p.eax == 77 && p.ebx == 0x123456789abcdef0, "eax, ebx");
	p.regs.rdi = (uintptr_t)DATA;
	run(&p, SANDBOX_FAULT, 4, "load");
	check(p.return_signal == SIGSEGV && !p.return_arch, "signal %d",
	      p.return_signal);
	check(p.return_address == (uintptr_t)DATA, "fault at %#llx",
	      (unsigned long long)p.return_address);
	expect_map(DATA, PAGE, ANYWHERE, -1, 0, 0, "map it");
	p.eax = 20;
	run(&p, SANDBOX_SYSCALL, 0, "int $0x80, after the load");
	check(p.return_arch == AUDIT_ARCH_I386 && !p.return_address, "arch %x",
	      p.return_arch);
	run(&p, SANDBOX_EXCEPTION, 6, "ud2");
	check(p.return_signal == SIGILL, "signal %d", p.return_signal);
	p.regs.rip = 1ULL << 63;
	expect(run_sandbox(space, &p), EINVAL, "bad registers");
}

static void vector_registers_stay(void)
{
	struct sandbox_params p = at(9);

	p.ebx = 0xf00d;
	run(&p, SANDBOX_SYSCALL, 0, "write");
	p = at(16);
	run(&p, SANDBOX_SYSCALL, 0, "read");
	check(p.ebx == 0xf00d, "xmm0 is %#llx", (unsigned long long)p.ebx);
}

static void numbers_are_no_descriptors(void)
{
	int old = new_addr(), new;
	struct sandbox_params p = at(0);

	expect(close(old), EBADF, "close");
	expect(delete_addr(old), 0, "delete");
	expect(run_sandbox(old, &p), EBADF, "run what is deleted");
	expect(delete_addr(old), EBADF, "delete it again");
	new = new_addr();
	check(new >= 0 && new != old, "the number is used again");
	expect(fmunmap(old, DATA, PAGE), EBADF, "an old number");
	expect(delete_addr(new), 0, "delete");
	expect(run_sandbox(-1, &p), EBADF, "-1");
	expect(run_sandbox(0, &p), EBADF, "0");
}

static atomic_int entering;

static void *spin(void *arg)
{
	struct sandbox_params p = at(23);
	int *ret = arg;

	entering = 1;
	do {
		*ret = run_sandbox(space, &p);
	} while (!*ret && p.return_reason == SANDBOX_INTERRUPTED && entering);
	return NULL;
}

static void nothing(int signo)
{
	(void)signo;
}

static void one_thread_at_a_time(void)
{
	struct sandbox_params p = at(0);
	int i, ret, busy = 0;
	pthread_t thread;

	signal(SIGUSR1, nothing);
	pthread_create(&thread, NULL, spin, &ret);
	for (i = 0; i < 1000 && !busy; i++) {
		usleep(1000);
		busy = entering && run_sandbox(space, &p) == -1 &&
		       errno == EBUSY;
	}
	check(busy, "a second one may run it");
	expect(delete_addr(space), EBUSY, "delete it meanwhile");
	expect(fmmap(space, DATA + 8 * PAGE, PAGE, PROT_READ, ANYWHERE, -1, 0),
	       0, "map meanwhile");
	entering = 0;
	/* The first may come when it is not inside. */
	do {
		pthread_kill(thread, SIGUSR1);
		usleep(1000);
	} while (pthread_tryjoin_np(thread, NULL));
	expect(ret, 0, "the first one");
}

static void children_have_their_own(void)
{
	struct sandbox_params p = at(0);
	int status, own;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		expect(run_sandbox(space, &p), ECHILD, "run");
		expect(fmunmap(space, DATA, PAGE), ECHILD, "unmap");
		expect(delete_addr(space), ECHILD, "delete");
		own = new_addr();
		check(own >= 0, "new: %s", strerror(errno));
		expect(delete_addr(own), 0, "delete its own");
		fflush(stdout);
		_exit(check_result());
	}
	waitpid(pid, &status, 0);
	check(!status, "the child's status is %#x", status);
}

int main(void)
{
	memory = memfd_create("code", 0);
	check(pwrite(memory, code, sizeof(code), 0) == sizeof(code), "write");
	space = new_addr();
	if (!check(space >= 0, "no address space: %s", strerror(errno)))
		return check_result();
	expect(fmmap(space, CODE, sizeof(code), READ_EXEC, MAP_PRIVATE, memory,
		     0),
	       0, "map the code");
	mappings();
	traps();
	vector_registers_stay();
	numbers_are_no_descriptors();
	one_thread_at_a_time();
	children_have_their_own();
	expect(delete_addr(space), 0, "delete");
	return check_result();
}
