// SPDX-License-Identifier: GPL-2.0
/* timens list - list time namespaces: those named, and those in use. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verb.h"

static const char help_text[] =
	"usage: timens list\n"
	"\n"
	"List the time namespaces that have a name or that a visible process is in:\n"
	"inode number, name, number of processes, the lowest PID, the wall clock's\n"
	"distance from the host's in seconds ('host' where it is the host's, '?' where\n"
	"it may not be seen), and that process' command.\n";

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

struct entry {
	ino_t id;
	char name[TIMENS_NAME_MAX + 1];
	unsigned int procs;
	pid_t pid;
};

struct entries {
	struct entry *list;
	size_t n;
	bool failed;
};

static struct entry *find(struct entries *all, ino_t id)
{
	struct entry *list;
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->list[i].id == id)
			return &all->list[i];
	list = realloc(all->list, (all->n + 1) * sizeof(*list));
	if (!list) {
		all->failed = true;
		return NULL;
	}
	all->list = list;
	list[all->n] = (struct entry){ .id = id };
	return &list[all->n++];
}

/* A second name of one namespace gets no line of its own. */
static void add_name(struct entries *all, const char *name)
{
	struct entry *entry;
	struct stat st;
	int fd;

	fd = timens_name_open(name);
	if (fd < 0)
		return;
	entry = fstat(fd, &st) ? NULL : find(all, st.st_ino);
	close(fd);
	if (entry && !entry->name[0])
		snprintf(entry->name, sizeof(entry->name), "%.*s",
			 TIMENS_NAME_MAX, name);
}

static void add_process(struct entries *all, const char *name)
{
	struct entry *entry;
	pid_t pid = atoi(name);
	ino_t id;

	if (!isdigit((unsigned char)*name) ||
	    timens_id(pid, TIMENS_ID_SELF, &id))
		return;
	entry = find(all, id);
	if (!entry)
		return;
	entry->procs++;
	if (!entry->pid || pid < entry->pid)
		entry->pid = pid;
}

/* A directory that is not there has nothing to add. */
static void scan(struct entries *all, const char *path,
		 void (*add)(struct entries *all, const char *name))
{
	struct dirent *file;
	DIR *dir = opendir(path);

	if (!dir)
		return;
	while ((file = readdir(dir)))
		add(all, file->d_name);
	closedir(dir);
}

static int get(const struct entry *entry, struct timens_offsets *offsets)
{
	int fd, ret;

	if (entry->pid)
		return timens_get(entry->pid, offsets);
	fd = timens_name_open(entry->name);
	if (fd < 0)
		return fd;
	ret = timens_get_fd(fd, offsets);
	close(fd);
	return ret;
}

static void print_entry(const struct entry *entry)
{
	char offset[TIMENS_TEXT_MAX] = "?", pid[16] = "-", command[64] = "-";
	struct timens_offsets offsets;
	char path[64];
	FILE *file;

	if (!get(entry, &offsets)) {
		if (offsets.own & TIMENS_REALTIME)
			text_offset(&offsets.realtime, offset, sizeof(offset));
		else
			snprintf(offset, sizeof(offset), "host");
	}
	if (entry->pid) {
		snprintf(pid, sizeof(pid), "%d", entry->pid);
		snprintf(path, sizeof(path), "/proc/%d/comm", entry->pid);
		file = fopen(path, "re");
		if (file) {
			if (fgets(command, sizeof(command), file))
				command[strcspn(command, "\n")] = '\0';
			fclose(file);
		}
	}
	printf("%-10llu %-16s %5u %7s %22s %s\n", (unsigned long long)entry->id,
	       entry->name[0] ? entry->name : "-", entry->procs, pid, offset,
	       command);
}

static int by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int verb_list(int argc, char **argv)
{
	struct entries all = { 0 };
	int option;
	size_t i;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1)
		return option == 'h' ? help(help_text) : fail_usage("list");
	if (optind != argc) {
		fail("list takes no argument");
		return fail_usage("list");
	}
	scan(&all, TIMENS_NAME_DIR, add_name);
	scan(&all, "/proc", add_process);
	if (all.failed) {
		free(all.list);
		return fail("out of memory");
	}
	qsort(all.list, all.n, sizeof(*all.list), by_id);
	printf("%-10s %-16s %5s %7s %22s %s\n", "NAMESPACE", "NAME", "PROCS",
	       "PID", "WALL CLOCK FROM HOST", "COMMAND");
	for (i = 0; i < all.n; i++)
		print_entry(&all.list[i]);
	free(all.list);
	return help("");
}
