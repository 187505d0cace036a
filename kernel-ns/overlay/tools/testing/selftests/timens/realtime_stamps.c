// SPDX-License-Identifier: GPL-2.0
/*
 * Time stamps that the kernel shows in the clock of the caller's time namespace.
 *
 * Each is read by a task inside a namespace with a wall clock of its own, far from the
 * host's, and has to lie between two readings of that clock around the event.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define NSEC	1000000000LL
/* Not in full seconds */
#define LINE	"realtime 864000 700000000\n"

static long long now(clockid_t id)
{
	struct timespec ts = { };

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

FIXTURE(stamps)
{
	int host;
	int inside;
	long long before;	/* what the clock shows at the start of the test */
};

FIXTURE_SETUP(stamps)
{
	int fd;

	if (geteuid())
		SKIP(return, "needs root");
	self->host = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	if (self->host < 0)
		SKIP(return, "no time namespaces");
	ASSERT_EQ(0, unshare(CLONE_NEWTIME));
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	ASSERT_LE(0, fd);
	if (write(fd, LINE, strlen(LINE)) < 0)
		SKIP(return, "needs CONFIG_TIME_NS_REALTIME");
	close(fd);
	self->inside = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, setns(self->inside, CLONE_NEWTIME));
	self->before = now(CLOCK_REALTIME);
}

FIXTURE_TEARDOWN(stamps)
{
	close(self->inside);
	close(self->host);
}

/* @stamp, in units of @unit nanoseconds, is from the time of the test */
#define EXPECT_STAMP(stamp, unit) do {					\
	long long _stamp = (stamp);					\
									\
	EXPECT_LE(self->before / (unit), _stamp);			\
	EXPECT_GE(now(CLOCK_REALTIME) / (unit), _stamp);		\
} while (0)

static long long read_btime(void)
{
	FILE *f = fopen("/proc/stat", "r");
	long long t = -1;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "btime %lld", &t);
	if (f)
		fclose(f);
	return t;
}

TEST_F(stamps, btime_is_now_minus_uptime)
{
	struct timespec ts = { .tv_sec = 2000000000 };
	long long want;

	for (int i = 0; i < 2; i++) {
		want = (now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME)) / NSEC;
		EXPECT_LE(want - 1, read_btime());
		EXPECT_GE(want + 1, read_btime());
		ASSERT_EQ(0, clock_settime(CLOCK_REALTIME, &ts));
	}
}

TEST_F(stamps, sysv_message_queue)
{
	struct { long type; char text[1]; } m = { .type = 1 };
	int id = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds;

	ASSERT_EQ(0, msgctl(id, IPC_STAT, &ds));
	EXPECT_STAMP(ds.msg_ctime, NSEC);
	EXPECT_EQ(0, ds.msg_stime);
	ASSERT_EQ(0, msgsnd(id, &m, 1, 0));
	ASSERT_EQ(1, msgrcv(id, &m, 1, 0, 0));
	ASSERT_EQ(0, msgctl(id, IPC_STAT, &ds));
	EXPECT_STAMP(ds.msg_stime, NSEC);
	EXPECT_STAMP(ds.msg_rtime, NSEC);
	msgctl(id, IPC_RMID, NULL);
}

TEST_F(stamps, sysv_semaphore)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf op = { .sem_op = 1 };
	struct semid_ds ds;

	ASSERT_EQ(0, semop(id, &op, 1));
	ASSERT_EQ(0, semctl(id, 0, IPC_STAT, &ds));
	EXPECT_STAMP(ds.sem_ctime, NSEC);
	EXPECT_STAMP(ds.sem_otime, NSEC);
	semctl(id, 0, IPC_RMID);
}

/* The last three times of the line of object @id */
static int sysvipc_times(const char *path, int id, long long t[3])
{
	FILE *f = fopen(path, "r");
	char line[512], *word, *words[32];
	int n, ret = -1;

	while (f && fgets(line, sizeof(line), f)) {
		n = 0;
		for (word = strtok(line, "\n "); word && n < 32; word = strtok(NULL, "\n "))
			words[n++] = word;
		if (n < 14 || atoi(words[1]) != id)
			continue;
		for (int i = 0; i < 3; i++)
			t[i] = atoll(words[11 + i]);
		ret = 0;
	}
	if (f)
		fclose(f);
	return ret;
}

TEST_F(stamps, sysv_shared_memory)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	void *p = shmat(id, NULL, 0);
	struct shmid_ds ds;
	long long t[3];

	ASSERT_NE((void *)-1, p);
	shmdt(p);
	ASSERT_EQ(0, shmctl(id, IPC_STAT, &ds));
	EXPECT_STAMP(ds.shm_ctime, NSEC);
	EXPECT_STAMP(ds.shm_atime, NSEC);
	EXPECT_STAMP(ds.shm_dtime, NSEC);
	ASSERT_EQ(0, sysvipc_times("/proc/sysvipc/shm", id, t));
	for (int i = 0; i < 3; i++)
		EXPECT_STAMP(t[i], NSEC);
	shmctl(id, IPC_RMID, NULL);
}

/* Negative control: who is outside sees the host's clock in the same object */
TEST_F(stamps, sysv_objects_have_the_readers_clock)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	struct shmid_ds ds;

	ASSERT_EQ(0, setns(self->host, CLONE_NEWTIME));
	ASSERT_EQ(0, shmctl(id, IPC_STAT, &ds));
	EXPECT_GT(self->before / NSEC - 800000, ds.shm_ctime);
	EXPECT_GE(now(CLOCK_REALTIME) / NSEC, ds.shm_ctime);
	shmctl(id, IPC_RMID, NULL);
}

static int lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	ioctl(fd, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	err = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return err;
}

static const struct stamp_option {
	const char *name;
	int option, value, type;
	long long unit;		/* of the second word */
	int wide;		/* both words have 64 bits */
} options[] = {
	{ "SO_TIMESTAMP", SO_TIMESTAMP, 1, SCM_TIMESTAMP, 1000 },
	{ "SO_TIMESTAMPNS", SO_TIMESTAMPNS, 1, SCM_TIMESTAMPNS, 1 },
#ifdef SO_TIMESTAMP_NEW
	{ "SO_TIMESTAMP_NEW", SO_TIMESTAMP_NEW, 1, SO_TIMESTAMP_NEW, 1000, 1 },
	{ "SO_TIMESTAMPNS_NEW", SO_TIMESTAMPNS_NEW, 1, SO_TIMESTAMPNS_NEW, 1, 1 },
#endif
	{ "SO_TIMESTAMPING", SO_TIMESTAMPING,
	  SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE, SCM_TIMESTAMPING, 1 },
};

/* Receive one byte, and its stamp in nanoseconds; -1 if there is none */
static long long receive(int fd, const struct stamp_option *o)
{
	char byte, control[512];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(fd, &msg, 0) != 1)
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		long long wide[2];
		long words[2];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != o->type)
			continue;
		if (o->wide) {
			memcpy(wide, CMSG_DATA(c), sizeof(wide));
			return wide[0] * NSEC + wide[1] * o->unit;
		}
		memcpy(words, CMSG_DATA(c), sizeof(words));
		return words[0] * NSEC + words[1] * o->unit;
	}
	return -1;
}

static int pair(int type, int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, type, 0);

	fd[1] = socket(AF_INET, type, 0);
	if (bind(s, (void *)&a, sizeof(a)) || getsockname(s, (void *)&a, &len))
		return -1;
	if (type == SOCK_STREAM && listen(s, 1))
		return -1;
	if (connect(fd[1], (void *)&a, sizeof(a)))
		return -1;
	fd[0] = type == SOCK_STREAM ? accept(s, NULL, NULL) : s;
	return fd[0] < 0 ? -1 : 0;
}

TEST_F(stamps, received_packets)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	int fd[2];

	ASSERT_EQ(0, lo_up());
	for (unsigned int i = 0; i < ARRAY_SIZE(types) * ARRAY_SIZE(options); i++) {
		const struct stamp_option *o = &options[i / 2];
		long long stamp;

		ASSERT_EQ(0, pair(types[i & 1], fd));
		ASSERT_EQ(0, setsockopt(fd[0], SOL_SOCKET, o->option, &o->value, sizeof(int)));
		/* The first packet may be from before the option took effect */
		for (int j = 0; j < 3; j++) {
			ASSERT_EQ(1, send(fd[1], "x", 1, 0));
			stamp = receive(fd[0], o);
		}
		TH_LOG("%s, %s", o->name, i & 1 ? "TCP" : "UDP");
		/* In full microseconds, it may be before the first reading */
		EXPECT_STAMP(stamp + o->unit - 1, 1);
		close(fd[0]);
		close(fd[1]);
	}
}

TEST_F(stamps, ioctl_of_a_socket)
{
	struct timespec ts = { };
	struct timeval tv = { };
	int fd[2];
	char byte;

	ASSERT_EQ(0, lo_up());
	ASSERT_EQ(0, pair(SOCK_DGRAM, fd));
	ioctl(fd[0], SIOCGSTAMP, &tv);
	ASSERT_EQ(1, send(fd[1], "x", 1, 0));
	ASSERT_EQ(1, recv(fd[0], &byte, 1, 0));
	ASSERT_EQ(0, ioctl(fd[0], SIOCGSTAMP, &tv));
	ASSERT_EQ(0, ioctl(fd[0], SIOCGSTAMPNS, &ts));
	EXPECT_STAMP(ts.tv_sec * NSEC + ts.tv_nsec, 1);
	EXPECT_EQ(ts.tv_sec, tv.tv_sec);
	EXPECT_EQ(ts.tv_nsec / 1000, tv.tv_usec);
}

TEST_F(stamps, name_of_a_core_file)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };
	char dir[] = "/tmp/realtime-XXXXXX", old[256] = "", path[300];
	int fd = open("/proc/sys/kernel/core_pattern", O_RDWR);
	long long t = -1;
	struct dirent *e;
	pid_t pid;
	DIR *d;

	if (fd < 0)
		SKIP(return, "no core files");
	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_LE(0, pread(fd, old, sizeof(old) - 1, 0));
	snprintf(path, sizeof(path), "%s/core.%%t", dir);
	ASSERT_LT(0, pwrite(fd, path, strlen(path), 0));
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &lim);
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	waitpid(pid, NULL, 0);
	ASSERT_LT(0, pwrite(fd, old, strlen(old), 0));
	close(fd);
	d = opendir(dir);
	while ((e = readdir(d))) {
		if (sscanf(e->d_name, "core.%lld", &t) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	rmdir(dir);
	EXPECT_STAMP(t, NSEC);
}

TEST_HARNESS_MAIN
