// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces of a process by small numbers, what new_as() and switch_as() of
 * mmfd/compat.h are made of.
 *
 * The table of them is in shared memory, so it is one for all. What differs from
 * one to the next, its own number, is in private memory; variables of the library
 * would not do, as the program may have made all its data shared.
 */
#include <errno.h>
#include <mmfd/compat.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/**
 * struct table - the address spaces of a process
 * @fd: their descriptors by number, -1 for none
 */
struct table {
	int fd[N_MM];
};

/**
 * struct slot - what an address space knows of itself; private, at one address
 * @table: shared with the others; NULL in a child of fork(2)
 * @own: its number
 * @before: before fork(2), what is in @table; in the child, the numbers that it
 *	does not have
 */
struct slot {
	struct table *table;
	int own;
	struct table before;
};

static struct slot *slot;

static void *map_pages(size_t size, int flags)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   flags | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

static void clear(struct table *table)
{
	int i;

	for (i = 0; i < N_MM; i++)
		table->fd[i] = -1;
}

static void before_fork(void)
{
	if (slot->table)
		slot->before = *slot->table;
}

/* The descriptors would keep the parent's address spaces. */
static void in_child(void)
{
	int i;

	if (!slot->table)
		return;
	for (i = 0; i < N_MM; i++) {
		if (slot->before.fd[i] >= 0)
			close(slot->before.fd[i]);
	}
	munmap(slot->table, sizeof(*slot->table));
	slot->table = NULL;
}

static int make_slot(void)
{
	struct slot *new = map_pages(sizeof(*new), MAP_PRIVATE);
	int err;

	if (!new)
		return -ENOMEM;
	clear(&new->before);
	slot = new;
	err = pthread_atfork(before_fork, NULL, in_child);
	if (!err)
		return 0;
	slot = NULL;
	munmap(new, sizeof(*new));
	return -err;
}

/* The one that the process has becomes number 0. */
static int make_table(int dev)
{
	struct table *table;
	int self;

	self = mmfd_create(dev, MMFD_CREATE_SELF);
	if (self < 0)
		return self;
	table = map_pages(sizeof(*table), MAP_SHARED);
	if (!table) {
		close(self);
		return -ENOMEM;
	}
	clear(table);
	table->fd[0] = self;
	slot->own = 0;
	slot->table = table;
	return 0;
}

/* A copy finds its number where it will look for it. */
static int copy_as(int dev, int number)
{
	int fd, own = slot->own;

	slot->own = number;
	fd = mmfd_create(dev, MMFD_CREATE_COPY);
	slot->own = own;
	if (fd < 0)
		return fd;
	slot->table->fd[number] = fd;
	return number;
}

static int add_as(int dev)
{
	int err, i;

	err = slot->table ? 0 : make_table(dev);
	if (err)
		return err;
	for (i = 0; i < N_MM; i++) {
		if (slot->table->fd[i] < 0)
			return copy_as(dev, i);
	}
	return -ENOENT;
}

static int open_and_add(void)
{
	int ret, dev;

	ret = slot ? 0 : make_slot();
	if (ret)
		return ret;
	dev = mmfd_open();
	if (dev < 0)
		return dev;
	ret = add_as(dev);
	close(dev);
	return ret;
}

/* Without signals: their handlers may switch. */
int mmfd_as_create(void)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = open_and_add();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* In a child of fork(2) that has no table yet. */
static int switch_in_child(int number)
{
	if (slot->before.fd[number] < 0)
		return -ENOENT;
	return number == slot->own ? 0 : -ECHILD;
}

int mmfd_as_switch(int number)
{
	if (number < 0 || number >= N_MM || !slot)
		return -ENOENT;
	if (!slot->table)
		return switch_in_child(number);
	if (slot->table->fd[number] < 0)
		return -ENOENT;
	return mmfd_switch(slot->table->fd[number]);
}
