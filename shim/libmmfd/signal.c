// SPDX-License-Identifier: GPL-2.0
/*
 * Signals as lines of an interrupt controller.
 *
 * A handler begins with all asynchronous signals blocked, records its own, and is
 * done, unless the flag is on. Then it delivers, with the signals unblocked and the
 * flag off: one that comes now is recorded by a second handler on top. Before the
 * flag goes on again the signals are blocked, and sigreturn unblocks them, so the
 * next one finds this frame gone: two frames are the most there can be.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <ucontext.h>

#include "internal.h"
#include "pic.h"

/**
 * struct source - a signal that is a line
 * @pic: whose; NULL if it is none. Read by handlers.
 * @line: which. Read by handlers.
 * @old: its action before; under lock
 */
struct source {
	struct mmfd_pic *_Atomic pic;
	atomic_uint line;
	struct sigaction old;
};

static struct source sources[_NSIG];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Those that an instruction causes; blocked, they would kill. */
static const int faults[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS,
};

static void fill_async(sigset_t *set)
{
	size_t i;

	sigfillset(set);
	for (i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(set, faults[i]);
}

/* The flag is on, and signals are blocked; so they are again afterwards. */
static void deliver(struct mmfd_pic *pic, const sigset_t *interrupted)
{
	sigset_t async;

	fill_async(&async);
	mmfd_pic_disable(pic);
	do {
		pthread_sigmask(SIG_SETMASK, interrupted, NULL);
		mm_pic_drain(pic);
		pthread_sigmask(SIG_SETMASK, &async, NULL);
	} while (mmfd_pic_pending(pic));
	/* What other threads raise from here on waits, as documented. */
	atomic_store_explicit(&pic->on, true, memory_order_relaxed);
}

static void handler(int signo, siginfo_t *info, void *context)
{
	const ucontext_t *interrupted = context;
	struct mmfd_pic *own = mm_pic_bound(), *pic = own;
	int err = errno;

	(void)info;
	if (!pic)
		pic = atomic_load(&sources[signo].pic);
	if (pic)
		mm_pic_record(pic, atomic_load(&sources[signo].line));
	if (own) {
		mm_pic_note(own);
		if (mmfd_pic_enabled(own))
			deliver(own, &interrupted->uc_sigmask);
	}
	errno = err;
}

static bool is_async(int signo)
{
	sigset_t async;

	if (signo <= 0 || signo >= _NSIG || signo == SIGKILL ||
	    signo == SIGSTOP)
		return false;
	fill_async(&async);
	return sigismember(&async, signo) == 1;
}

static int add_source(struct mmfd_pic *pic, int signo, unsigned int line)
{
	struct sigaction action = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK,
	};
	struct source *source = &sources[signo];
	struct mmfd_pic *other = atomic_load(&source->pic);

	if (other && other != pic)
		return -EBUSY;
	atomic_store(&source->line, line);
	if (other)
		return 0;
	atomic_store(&source->pic, pic);
	fill_async(&action.sa_mask);
	if (!sigaction(signo, &action, &source->old))
		return 0;
	atomic_store(&source->pic, NULL);
	return -errno;
}

int mmfd_pic_signal(struct mmfd_pic *pic, int signo, unsigned int line)
{
	int err;

	if (!is_async(signo) || line >= MMFD_PIC_LINES)
		return -EINVAL;
	pthread_mutex_lock(&lock);
	err = add_source(pic, signo, line);
	pthread_mutex_unlock(&lock);
	return err;
}

void mm_pic_release_signals(struct mmfd_pic *pic)
{
	int signo;

	pthread_mutex_lock(&lock);
	for (signo = 1; signo < _NSIG; signo++) {
		if (atomic_load(&sources[signo].pic) != pic)
			continue;
		sigaction(signo, &sources[signo].old, NULL);
		atomic_store(&sources[signo].pic, NULL);
	}
	pthread_mutex_unlock(&lock);
}
