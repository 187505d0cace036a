// SPDX-License-Identifier: GPL-2.0
/*
 * many-namespaces - how much memory a time namespace with its own wall clock takes.
 *
 * usage: many-namespaces N
 *
 * Makes N namespaces, keeps a descriptor of each, and prints by how many bytes the
 * free memory went down for each. Fails with status 2 and says how many there are if
 * the limit of namespaces is reached.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "own-clock.h"

static long long mem_free(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long long kib = 0;
	char line[128];

	if (!f)
		err(1, "meminfo");
	while (fgets(line, sizeof(line), f))
		sscanf(line, "MemFree: %lld", &kib);
	fclose(f);
	return kib * 1024;
}

int main(int argc, char **argv)
{
	struct rlimit lim = { 200000, 200000 };
	long long before;
	int n;

	if (argc != 2)
		errx(1, "usage: many-namespaces N");
	n = atoi(argv[1]);
	if (setrlimit(RLIMIT_NOFILE, &lim))
		err(1, "setrlimit");
	/* The first one also makes what all share; let what is freed late be free */
	own_clock_new();
	sleep(3);
	before = mem_free();
	for (int i = 1; i < n; i++) {
		if (own_clock_new() < 0) {
			printf("%d\n", i);
			return 2;
		}
	}
	printf("%lld\n", (before - mem_free()) / (n - 1));
	return 0;
}
