// SPDX-License-Identifier: GPL-2.0
/*
 * set-storm - many who may not set the clock try to, all at once, while others
 * start, end, and change their rights.
 *
 * usage: set-storm SECONDS       as root
 *        set-storm --root        set it once, as root may
 *
 * Each attacker tries to set the clock to the year 2100, by system call. Prints
 * "NAME: N tries, M set" for each, and exits with 1 if there was any M.
 * --try and --try-dropped are for itself: one try, with the rights as they are,
 * or after giving them up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/wait.h>

#include "clock.h"

#define YEAR_2100   4102444800
#define SETUID_COPY "/tmp/storm-setuid"

/* Counted by all processes of one attacker */
struct count {
	int tries;
	int set;
};

static struct count *counts, *count;

static volatile sig_atomic_t over;

static void on_alarm(int sig)
{
	(void)sig;
	over = 1;
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "set-storm: %s: %s\n", what, strerror(errno));
	_exit(2);
}

/* --- tries ------------------------------------------------------------------ */

static int try_settimeofday(void)
{
	struct timeval tv = { YEAR_2100, 0 };

	return !syscall(SYS_settimeofday, &tv, NULL);
}

static int try_others(void)
{
	struct timespec ts = { YEAR_2100, 0 };
	struct timex tx = { .modes = ADJ_SETOFFSET, .time.tv_sec = 86400 };

	return !syscall(SYS_clock_settime, CLOCK_REALTIME, &ts) ||
	       syscall(SYS_adjtimex, &tx) >= 0;
}

static int try_all(void)
{
	return try_settimeofday() || try_others() || try_settimeofday();
}

static void counted(int set)
{
	__atomic_add_fetch(&count->tries, 1, __ATOMIC_RELAXED);
	if (set)
		__atomic_add_fetch(&count->set, 1, __ATOMIC_RELAXED);
}

/* --- rights ------------------------------------------------------------------ */

/* CAP_SYS_TIME of this thread alone: effective, permitted */
static int change_cap(int effective, int permitted)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];
	const __u32 bit = 1U << CAP_SYS_TIME;

	must(!syscall(SYS_capget, &head, data), "capget");
	data[0].effective &= ~bit;
	data[0].effective |= effective ? bit : 0;
	data[0].permitted &= ~bit;
	data[0].permitted |= permitted ? bit : 0;
	return syscall(SYS_capset, &head, data);
}

static void become_user(void)
{
	must(!syscall(SYS_setresuid, 1000, 1000, 1000), "setresuid");
}

static void run_self(const char *path, const char *how)
{
	execl(path, path, how, NULL);
	must(0, path);
}

/* Count a child that ends with 1 if it could set the clock. */
static void count_child(pid_t pid)
{
	int status;

	must(pid > 0 && waitpid(pid, &status, 0) == pid, "child");
	must(WIFEXITED(status) && WEXITSTATUS(status) < 2, "child's end");
	counted(WEXITSTATUS(status));
}

/* --- attackers ---------------------------------------------------------------- */

static void user(void)
{
	become_user();
	while (!over)
		counted(try_all());
}

static void user_namespace(void)
{
	become_user();
	must(!unshare(CLONE_NEWUSER), "unshare");
	while (!over)
		counted(try_all());
}

static void *toggle(void *unused)
{
	(void)unused;
	while (!over) {
		must(!change_cap(0, 1), "lower");
		must(!change_cap(1, 1), "raise");
	}
	return NULL;
}

/* A thread that gave it up, beside one that has it and changes it */
static void thread(void)
{
	pthread_t other;

	must(!pthread_create(&other, NULL, toggle, NULL), "thread");
	must(!change_cap(0, 0), "drop");
	while (!over) {
		counted(try_all());
		must(change_cap(1, 1) < 0, "dropped, and raised again");
	}
	pthread_join(other, NULL);
}

static void lowered(void)
{
	while (!over) {
		must(!change_cap(0, 1), "lower");
		counted(try_all());
		must(!change_cap(1, 1), "raise");
	}
}

static void forked(void)
{
	pid_t pid;

	while (!over) {
		pid = fork();
		if (!pid) {
			must(!change_cap(0, 0), "drop");
			_exit(try_all());
		}
		count_child(pid);
	}
}

/* The child is in its parent's address space until it ends. */
static void vforked(void)
{
	pid_t pid;

	while (!over) {
		pid = vfork();
		if (!pid) {
			become_user();
			_exit(try_settimeofday());
		}
		count_child(pid);
	}
}

static void executed(void)
{
	pid_t pid;

	while (!over) {
		pid = fork();
		if (!pid) {
			become_user();
			run_self("/proc/self/exe", "--try");
		}
		count_child(pid);
	}
}

static void kept(void)
{
	must(!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps");
	become_user();
	while (!over)
		counted(try_all());
}

/* Root by its file, which then gives it up */
static void setuid_file(void)
{
	pid_t pid;

	become_user();
	while (!over) {
		pid = fork();
		if (!pid)
			run_self(SETUID_COPY, "--try-dropped");
		count_child(pid);
	}
}

/* Only CAP_NET_RAW, which stays through exec */
static void keep_another(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { 0 };

	must(!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps");
	become_user();
	data[0].permitted = 1U << CAP_NET_RAW;
	data[0].effective = data[0].permitted;
	data[0].inheritable = data[0].permitted;
	must(!syscall(SYS_capset, &head, data), "capset");
	must(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0),
	     "ambient");
}

static void another(void)
{
	pid_t pid;

	keep_another();
	while (!over) {
		pid = fork();
		if (!pid)
			run_self("/proc/self/exe", "--try-raised");
		count_child(pid);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} attackers[] = {
	{ "user", user },
	{ "root of a user namespace", user_namespace },
	{ "thread that dropped it", thread },
	{ "root that lowered it", lowered },
	{ "child that dropped it", forked },
	{ "vfork child that is a user", vforked },
	{ "user after exec", executed },
	{ "user that kept it permitted", kept },
	{ "setuid file that dropped it", setuid_file },
	{ "another capability through exec", another },
};

/* --- */

static void copy_self(const char *path, mode_t mode)
{
	int from = open("/proc/self/exe", O_RDONLY), to;
	struct stat st;

	unlink(path);
	to = open(path, O_WRONLY | O_CREAT, 0700);
	must(from >= 0 && to >= 0 && !fstat(from, &st), path);
	must(sendfile(to, from, NULL, st.st_size) == st.st_size, path);
	must(!fchmod(to, mode), path);
	close(from);
	close(to);
}

static int storm(int seconds)
{
	pid_t pid[ARRAY_SIZE(attackers)];
	int failed = 0, status;

	copy_self(SETUID_COPY, 04755);
	counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(counts != MAP_FAILED, "mmap");
	for (size_t i = 0; i < ARRAY_SIZE(attackers); i++) {
		count = &counts[i];
		pid[i] = fork();
		if (!pid[i]) {
			signal(SIGALRM, on_alarm);
			alarm(seconds);
			attackers[i].run();
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(attackers); i++) {
		must(waitpid(pid[i], &status, 0) == pid[i], "wait");
		printf("%s: %d tries, %d set%s\n", attackers[i].name,
		       counts[i].tries, counts[i].set,
		       status ? ", and it ended badly" : "");
		failed |= status || counts[i].set || !counts[i].tries;
	}
	return failed;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--try"))
		return try_all();
	if (argc == 2 && !strcmp(argv[1], "--root"))
		return !try_settimeofday();
	if (argc == 2 && !strcmp(argv[1], "--try-raised")) {
		must(change_cap(1, 1) < 0, "raised it");
		return try_all();
	}
	if (argc == 2 && !strcmp(argv[1], "--try-dropped")) {
		must(!geteuid(), "not setuid");
		must(!change_cap(0, 1), "lower");
		if (try_all())
			return 1;
		must(!change_cap(0, 0), "drop");
		return try_all() || !change_cap(1, 1);
	}
	if (argc != 2 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: set-storm SECONDS|--root\n");
		return 2;
	}
	return storm(atoi(argv[1]));
}
