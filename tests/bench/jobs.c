// SPDX-License-Identifier: GPL-2.0
/*
 * jobs - how long whole jobs take: raw samples for scripts/bench
 *
 * usage: jobs [-r ROUNDS] [-s SOURCE] [-k LIST] NAME...
 *
 * Prints lines like those of timecalls, with one job a round, after one that does
 * not count. Files are made in /dev/shm, which is memory. NAME is
 *   file-tree     make ten directories of 20 files of 1000 bytes, walk them, read
 *                 each file, and remove all
 *   compile       gcc -O2 -c SOURCE, which has been preprocessed, while the files in
 *                 LIST, one a line, are held open: the compiler
 *   compile-anew  the same without that. A file system that forgets what nobody has
 *                 open, as hostfs does, reads the compiler again each time
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "jobs"
#include "bench.h"

#define DIRS  10
#define FILES 20
#define SIZE  1000

static char dir[32];
static const char *source, *list;
static unsigned int seen;
static int held[64];
static unsigned int nr_held;

static void make_file(const char *path)
{
	static char text[SIZE];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	must(fd >= 0, path);
	must(write(fd, text, SIZE) == SIZE, path);
	must(!close(fd), path);
}

static void make_tree(void)
{
	char path[64];
	int i, j;

	for (i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "%s/d%d", dir, i);
		must(!mkdir(path, 0700), path);
		for (j = 0; j < FILES; j++) {
			snprintf(path, sizeof(path), "%s/d%d/f%d", dir, i, j);
			make_file(path);
		}
	}
}

static int read_one(const char *path, const struct stat *st, int type,
		    struct FTW *at)
{
	char text[SIZE];
	int fd;

	(void)at;
	if (type != FTW_F)
		return 0;
	fd = open(path, O_RDONLY);
	must(fd >= 0 && st->st_size == SIZE, path);
	must(read(fd, text, SIZE) == SIZE, path);
	must(!close(fd), path);
	seen++;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	if (at->level)
		must(!remove(path), path);
	return 0;
}

static void file_tree(void)
{
	seen = 0;
	make_tree();
	must(!nftw(dir, read_one, 16, FTW_PHYS), "walk");
	must(!nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH), "remove");
	if (seen != DIRS * FILES)
		fail("file-tree", "the walk missed files");
}

static void hold_compiler(void)
{
	char path[4096];
	FILE *file;

	if (!list)
		fail("compile", "needs -k LIST");
	file = fopen(list, "re");
	must(!!file, list);
	while (fscanf(file, "%4095s", path) == 1) {
		if (nr_held == ARRAY_SIZE(held))
			fail(list, "too many files");
		held[nr_held] = open(path, O_RDONLY | O_CLOEXEC);
		must(held[nr_held++] >= 0, path);
	}
	must(!fclose(file), list);
}

/* For what is measured next in the same process */
static void release_compiler(void)
{
	while (nr_held)
		must(!close(held[--nr_held]), "close");
}

static void compile(void)
{
	char out[64];
	int status;
	pid_t pid;

	if (!source)
		fail("compile", "needs -s SOURCE");
	snprintf(out, sizeof(out), "%s/out.o", dir);
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		setenv("TMPDIR", dir, 1);
		execlp("gcc", "gcc", "-O2", "-c", source, "-o", out, NULL);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	if (status)
		fail("compile", "gcc failed");
	must(!unlink(out), out);
}

static const struct job {
	const char *name;
	void (*run)(void);
	bool held; /* the compiler, from before the first until after the last */
} jobs[] = {
	{ "file-tree", file_tree, false },
	{ "compile", compile, true },
	{ "compile-anew", compile, false },
};

static void measure(const char *name, unsigned int rounds)
{
	uint64_t ticks[ROUNDS_MAX], start;
	unsigned int i, kind = 0;

	while (strcmp(name, jobs[kind].name)) {
		if (++kind == ARRAY_SIZE(jobs))
			fail(name, "no such job");
	}
	if (jobs[kind].held)
		hold_compiler();
	jobs[kind].run();
	for (i = 0; i < rounds; i++) {
		start = counter();
		jobs[kind].run();
		ticks[i] = counter() - start;
	}
	release_compiler();
	print_sample(name, 1, ticks, rounds);
	must(!fflush(stdout), "stdout");
}

int main(int argc, char **argv)
{
	unsigned int rounds = 3;
	int opt;

	while ((opt = getopt(argc, argv, "r:s:k:")) != -1) {
		if (opt == 'r')
			rounds = number(optarg, ROUNDS_MAX);
		else if (opt == 's')
			source = optarg;
		else if (opt == 'k')
			list = optarg;
		else
			return 1;
	}
	if (optind == argc)
		fail("usage", "name the jobs");
	snprintf(dir, sizeof(dir), "/dev/shm/jobs.XXXXXX");
	must(!!mkdtemp(dir), dir);
	for (; optind < argc; optind++)
		measure(argv[optind], rounds);
	must(!rmdir(dir), dir);
	return 0;
}
