// SPDX-License-Identifier: GPL-2.0
/*
 * Work done from inside a namespace that is known by descriptor only.
 *
 * /proc/PID/timens_offsets belongs to a process, and a named namespace may have
 * none: a short-lived child enters it and uses its own file. The child calls
 * nothing that takes a lock, so the caller may have threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

struct job {
	int nsfd;
	int write;
	char text[TNS_OFFSETS_TEXT];
};

struct answer {
	int ret;
	char text[TNS_OFFSETS_TEXT];
};

static void child(struct job *job, int out)
{
	struct answer answer = { 0 };

	answer.ret = timens_enter(job->nsfd);
	if (!answer.ret && job->write)
		answer.ret = tns_write_proc(0, "timens_offsets", job->text);
	else if (!answer.ret)
		answer.ret =
			tns_read_offsets(0, answer.text, sizeof(answer.text));
	/* Below PIPE_BUF, so all or nothing. */
	_exit(write(out, &answer, sizeof(answer)) != sizeof(answer));
}

static int run_inside(struct job *job, struct answer *answer)
{
	ssize_t len;
	int fds[2], ret = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		ret = -errno;
	else if (!pid)
		child(job, fds[1]);
	close(fds[1]);
	if (ret) {
		close(fds[0]);
		return ret;
	}
	do {
		len = read(fds[0], answer, sizeof(*answer));
	} while (len < 0 && errno == EINTR);
	close(fds[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return len == sizeof(*answer) ? answer->ret : -EIO;
}

int tns_read_offsets_fd(int nsfd, char *text, size_t size)
{
	struct job job = { .nsfd = nsfd };
	struct answer answer;
	int ret;

	ret = run_inside(&job, &answer);
	if (ret)
		return ret;
	snprintf(text, size, "%s", answer.text);
	return 0;
}

int tns_write_offsets_fd(int nsfd, const char *text)
{
	struct job job = { .nsfd = nsfd, .write = 1 };
	struct answer answer;

	snprintf(job.text, sizeof(job.text), "%s", text);
	return run_inside(&job, &answer);
}

int timens_get_fd(int nsfd, struct timens_offsets *offsets)
{
	char text[TNS_OFFSETS_TEXT];
	int ret;

	ret = tns_read_offsets_fd(nsfd, text, sizeof(text));
	return ret ? ret : tns_parse_offsets(text, offsets);
}
