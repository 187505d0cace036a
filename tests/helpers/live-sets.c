// SPDX-License-Identifier: GPL-2.0
/*
 * live-sets - set a namespace's wall clock many times under running readers.
 *
 * usage: live-sets [--readers N] [--sets N] [--how line|adjtimex]
 *                  [--inject torn|stale|host]
 *
 * Needs root. The setter moves the clock to another day, forwards and backwards
 * in turn, and to another nanosecond of it, each combination once. A reading
 * is between two of CLOCK_MONOTONIC, so it belongs to one set: which has to be
 * one that had begun and was not yet replaced, and not older than what the same
 * reader saw before. Exits with 1 at the first reading that is not so.
 * With 4 if the readers saw too little of the sets for that to mean something.
 * --inject makes a reading that is wrong, to see that this is noticed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <sys/wait.h>

#include "clock.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define DAY	    (86400 * NSEC)
#define MAX_READERS 64
/* A reading this close to the two around it cannot be torn unnoticed */
#define SHARP (NSEC / 1000)

/**
 * struct tally - what one reader has to say
 * @reads:	how many readings were right
 * @sharp:	how many of them were narrow enough to mean something
 * @changes:	how often it saw another set than in the reading before
 */
struct tally {
	long reads;
	long sharp;
	long changes;
};

struct progress {
	atomic_long started; /* the set that may be visible */
	atomic_long done;    /* the set that must be visible */
	atomic_int stop;
	struct tally tally[MAX_READERS];
};

static struct progress *shared;

/* The host's CLOCK_REALTIME minus CLOCK_MONOTONIC is within these */
static long long host_low = LLONG_MIN, host_high = LLONG_MAX;

static int n_readers = 4;
static long n_sets = 10000;
static bool by_adjtimex;
static const char *inject = "";

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* How far the clock is from the host's after set number @k */
static long long distance(long k)
{
	return (k & 1 ? k : -k) * DAY + k * 618033989LL % NSEC;
}

static void measure_host(void)
{
	long long before, real, after;

	for (int i = 0; i < 10000; i++) {
		before = vdso_clock(CLOCK_MONOTONIC);
		real = vdso_clock(CLOCK_REALTIME);
		after = vdso_clock(CLOCK_MONOTONIC);
		if (real - after > host_low)
			host_low = real - after;
		if (real - before < host_high)
			host_high = real - before;
	}
}

static void write_distance(int fd, long k)
{
	struct timespec ts = ns_ts(distance(k));
	char line[64];
	int len = snprintf(line, sizeof(line), "realtime %lld %ld\n",
			   (long long)ts.tv_sec, ts.tv_nsec);

	if (lseek(fd, 0, SEEK_SET) || write(fd, line, len) != len)
		die("write to timens_offsets");
}

static void adjust_distance(long k)
{
	struct timespec ts = ns_ts(distance(k) - distance(k - 1));
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO,
			    .time = { ts.tv_sec, ts.tv_nsec } };

	if (adjtimex(&tx) < 0)
		die("adjtimex");
}

/**
 * struct reading - a reading and what was around it
 * @low:	namespace's clock minus CLOCK_MONOTONIC, at least
 * @high:	at most
 * @oldest:	the set that had to be visible before
 * @newest:	the last one that may be visible after
 */
struct reading {
	long long low;
	long long high;
	long oldest;
	long newest;
};

static struct reading take(const struct reader *r)
{
	long long before, now, after;
	struct reading reading;

	reading.oldest = atomic_load(&shared->done);
	before = vdso_clock(CLOCK_MONOTONIC);
	now = r->read(r->id);
	after = vdso_clock(CLOCK_MONOTONIC);
	reading.newest = atomic_load(&shared->started);
	reading.low = now - after;
	reading.high = now - before + r->grain;
	return reading;
}

/* Which set the reading shows, or -1 */
static long which_set(const struct reading *r, long last)
{
	for (long k = r->oldest > last ? r->oldest : last; k <= r->newest;
	     k++) {
		if (r->high >= host_low + distance(k) &&
		    r->low <= host_high + distance(k))
			return k;
	}
	return -1;
}

static void falsify(struct reading *r, long k)
{
	long long by = 0;

	if (!strcmp(inject, "torn"))
		by = distance(k + 2) - distance(k) - (k & 1 ? 2 : -2) * DAY;
	else if (!strcmp(inject, "stale"))
		by = distance(k - 1) - distance(k);
	else if (!strcmp(inject, "host"))
		by = -distance(k);
	r->low += by;
	r->high += by;
}

static int complain(const struct reader *r, const struct reading *reading,
		    long last)
{
	printf("wrong: %s is %lld to %lld ns from the host, sets %ld to %ld, last seen %ld\n",
	       r->name, reading->low - host_high, reading->high - host_low,
	       reading->oldest, reading->newest, last);
	return 1;
}

static int read_loop(struct tally *tally)
{
	long last = 0, k;

	for (long i = 0; !atomic_load(&shared->stop); i++) {
		const struct reader *r = (i & 1 ? vdso_readers : raw_readers) +
					 i / 2 % N_READERS;
		struct reading reading = take(r);

		if (*inject && last > 10 && !r->grain)
			falsify(&reading, last);
		k = which_set(&reading, last);
		if (k < 0)
			return complain(r, &reading, last);
		tally->reads++;
		tally->sharp += reading.high - reading.low < SHARP;
		tally->changes += k != last;
		last = k;
	}
	return 0;
}

static int set_loop(int fd)
{
	for (long k = 1; k <= n_sets; k++) {
		atomic_store(&shared->started, k);
		if (by_adjtimex)
			adjust_distance(k);
		else
			write_distance(fd, k);
		atomic_store(&shared->done, k);
		/* One CPU: let readers in now and then */
		if (k % 20 == 0)
			usleep(1);
	}
	return 0;
}

static pid_t start(int (*loop)(struct tally *tally), struct tally *tally)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		int ret = loop(tally);

		fflush(stdout);
		_exit(ret);
	}
	return pid;
}

static int set_inside(struct tally *tally)
{
	(void)tally;
	return set_loop(-1);
}

static int failed(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) != pid || status;
}

static int run(int fd)
{
	pid_t pid[MAX_READERS];
	int bad = 0;

	for (int i = 0; i < n_readers; i++)
		pid[i] = start(read_loop, &shared->tally[i]);
	if (by_adjtimex)
		bad |= failed(start(set_inside, NULL));
	else
		bad |= set_loop(fd);
	atomic_store(&shared->stop, 1);
	for (int i = 0; i < n_readers; i++)
		bad |= failed(pid[i]);
	return bad;
}

#define INCONCLUSIVE 4

/* A test without concurrency would prove nothing */
static int summary(void)
{
	struct tally sum = { 0 };

	for (int i = 0; i < n_readers; i++) {
		struct tally *t = &shared->tally[i];

		sum.reads += t->reads;
		sum.sharp += t->sharp;
		sum.changes += t->changes;
	}
	printf("%ld sets, %d readers, %ld readings, %ld sharp, %ld changes seen\n",
	       n_sets, n_readers, sum.reads, sum.sharp, sum.changes);
	if (sum.sharp < sum.reads / 4 || sum.changes < n_sets / 100) {
		printf("too few to mean something\n");
		return INCONCLUSIVE;
	}
	return 0;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "readers", required_argument, NULL, 'r' },
		{ "sets", required_argument, NULL, 's' },
		{ "how", required_argument, NULL, 'h' },
		{ "inject", required_argument, NULL, 'i' },
		{ NULL }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			n_readers = atoi(optarg);
		else if (c == 's')
			n_sets = atol(optarg);
		else if (c == 'h')
			by_adjtimex = !strcmp(optarg, "adjtimex");
		else if (c == 'i')
			inject = optarg;
		else
			exit(2);
	}
	if (n_readers < 1 || n_readers > MAX_READERS || n_sets < 1) {
		fprintf(stderr,
			"live-sets: 1 to %d readers, at least one set\n",
			MAX_READERS);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	int fd;

	parse(argc, argv);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	measure_host();
	if (unshare(CLONE_NEWTIME))
		die("unshare");
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("/proc/self/timens_offsets");
	write_distance(fd, 0);
	return run(fd) ? 1 : summary();
}
