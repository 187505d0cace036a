// SPDX-License-Identifier: GPL-2.0
/*
 * thread-queue - threads that give and take numbers through one short queue, with a
 * mutex and condition variables: none is lost, none comes twice, and those of one
 * giver come in order.
 *
 * usage: thread-queue [COUNT]    numbers per giver, 5000 if not said
 *
 * What it prints does not depend on who runs when. Status 1 if anything is wrong.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define GIVERS 3
#define TAKERS 3
#define SLOTS  4

struct item {
	int giver;
	long value;
};

struct taken {
	long count;
	long sum;
	int disorder;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t not_full;
	pthread_cond_t not_empty;
	struct item slot[SLOTS];
	int used, first, givers;
	long waits;
} queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.not_full = PTHREAD_COND_INITIALIZER,
	.not_empty = PTHREAD_COND_INITIALIZER,
	.givers = GIVERS,
};

static long per_giver = 5000;
static struct taken taken[TAKERS];

static void put(struct item item)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.used == SLOTS) {
		queue.waits++;
		pthread_cond_wait(&queue.not_full, &queue.lock);
	}
	queue.slot[(queue.first + queue.used++) % SLOTS] = item;
	pthread_cond_signal(&queue.not_empty);
	pthread_mutex_unlock(&queue.lock);
}

/* 0 when all givers have ended and nothing is left. */
static int get(struct item *item)
{
	int found;

	pthread_mutex_lock(&queue.lock);
	while (!queue.used && queue.givers) {
		queue.waits++;
		pthread_cond_wait(&queue.not_empty, &queue.lock);
	}
	found = queue.used;
	if (found) {
		*item = queue.slot[queue.first];
		queue.first = (queue.first + 1) % SLOTS;
		queue.used--;
		pthread_cond_signal(&queue.not_full);
	}
	pthread_mutex_unlock(&queue.lock);
	return found;
}

static void *give(void *arg)
{
	struct item item = { .giver = (int)(long)arg };

	for (item.value = 1; item.value <= per_giver; item.value++)
		put(item);
	pthread_mutex_lock(&queue.lock);
	queue.givers--;
	pthread_cond_broadcast(&queue.not_empty);
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

static void *take(void *arg)
{
	struct taken *mine = arg;
	long last[GIVERS] = { 0 };
	struct item item;

	while (get(&item)) {
		mine->count++;
		mine->sum += item.value;
		mine->disorder |= item.value <= last[item.giver];
		last[item.giver] = item.value;
	}
	return NULL;
}

static int report(void)
{
	long want = GIVERS * (per_giver * (per_giver + 1) / 2);
	struct taken all = { 0 };
	int i;

	for (i = 0; i < TAKERS; i++) {
		all.count += taken[i].count;
		all.sum += taken[i].sum;
		all.disorder |= taken[i].disorder;
	}
	printf("%ld taken, sum %ld, %s, %s\n", all.count, all.sum,
	       all.disorder ? "not in order" : "in order",
	       queue.waits ? "some waited" : "none waited");
	return all.count != GIVERS * per_giver || all.sum != want ||
	       all.disorder || !queue.waits;
}

int main(int argc, char **argv)
{
	pthread_t thread[GIVERS + TAKERS];
	int i, n = 0;

	if (argc > 1)
		per_giver = atol(argv[1]);
	for (i = 0; i < TAKERS; i++)
		if (pthread_create(&thread[n++], NULL, take, &taken[i]))
			return 1;
	for (i = 0; i < GIVERS; i++)
		if (pthread_create(&thread[n++], NULL, give, (void *)(long)i))
			return 1;
	while (n)
		pthread_join(thread[--n], NULL);
	return report();
}
