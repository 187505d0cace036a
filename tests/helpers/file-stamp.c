// SPDX-License-Identifier: GPL-2.0
/*
 * file-stamp - does a file made right after settimeofday(2) carry the new time?
 *
 * usage: file-stamp DIRECTORY ROUNDS
 *
 * Each round sets the clock with a raw call, to another day, and makes a file in
 * DIRECTORY. Its times have to be from the set or later, though not later than
 * what a reading afterwards shows; a file system may stamp with the coarse clock,
 * which is up to a tick old. Exits with 1 at the first file that is not so.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "clock.h"

/* A coarse clock is behind, but not before the set */
static int check(long long set, const struct timespec *stamp, const char *name)
{
	long long ns = ts_ns(stamp), now = raw_clock(CLOCK_REALTIME);

	if (ns >= set && ns <= now)
		return 0;
	printf("%s is %lld ns after the set, and %lld ns after the reading that came next\n",
	       name, ns - set, ns - now);
	return 1;
}

static int one_round(const char *path, time_t sec)
{
	struct timeval tv = { .tv_sec = sec };
	struct stat st;
	int fd;

	unlink(path);
	if (syscall(SYS_settimeofday, &tv, NULL)) {
		perror("file-stamp: settimeofday");
		return 2;
	}
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		return 2;
	}
	close(fd);
	return check(sec * NSEC, &st.st_mtim, "mtime") ||
	       check(sec * NSEC, &st.st_ctim, "ctime");
}

int main(int argc, char **argv)
{
	time_t start = raw_clock(CLOCK_REALTIME) / NSEC;
	char path[256];
	int rounds, ret;

	if (argc != 3) {
		fprintf(stderr, "usage: file-stamp DIRECTORY ROUNDS\n");
		return 2;
	}
	rounds = atoi(argv[2]);
	snprintf(path, sizeof(path), "%s/file-stamp.%d", argv[1], getpid());
	for (int i = 1; i <= rounds; i++) {
		/* Forwards and backwards in turn */
		ret = one_round(path, start + (i & 1 ? i : -i) * 86400L);
		if (ret)
			return ret;
	}
	unlink(path);
	printf("%d rounds\n", rounds);
	return 0;
}
