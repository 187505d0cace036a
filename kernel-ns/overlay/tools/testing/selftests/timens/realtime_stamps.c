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
#include <linux/errqueue.h>
#include <linux/genetlink.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <linux/taskstats.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "realtime.h"

FIXTURE(stamps)
{
	int host;
	int inside;
	long long before;	/* what the clock shows at the start of the test */
};

FIXTURE_SETUP(stamps)
{
	const char *why = two_clocks(&self->host, &self->inside);

	if (why)
		SKIP(return, "%s", why);
	/* Not in full seconds */
	ASSERT_EQ(0, write_realtime(864000, 700000000));
	ENTER();
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

	LEAVE();
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
		/* Packets have no stamp until a work item has turned that on */
		for (int j = 0; j < 500; j++) {
			ASSERT_EQ(1, send(fd[1], "x", 1, 0));
			stamp = receive(fd[0], o);
			if (j > 1 && stamp > NSEC)
				break;
			usleep(10000);
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

/* A message of generic netlink, and the first attribute in it */
struct genl {
	struct nlmsghdr n;
	struct genlmsghdr g;
	struct nlattr a;
	char data[2000];
};

/* Send @m with an attribute, and take the answer: its length, or -errno */
static int genl_ask(int fd, struct genl *m, int family, int cmd, int attr,
		    const void *data, size_t len)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->n.nlmsg_type = family;
	m->n.nlmsg_flags = NLM_F_REQUEST;
	m->g.cmd = cmd;
	m->g.version = 1;
	m->a.nla_type = attr;
	m->a.nla_len = NLA_HDRLEN + len;
	memcpy(m->data, data, len);
	m->n.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + NLA_ALIGN(m->a.nla_len);
	if (send(fd, m, m->n.nlmsg_len, 0) < 0)
		return -errno;
	ret = recv(fd, m, sizeof(*m), 0);
	if (ret > 0 && m->n.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&m->n))->error;
	return ret;
}

/* Attribute @type of those from @p to @end, or NULL */
static void *genl_find(void *p, void *end, int type)
{
	struct nlattr *a = p;

	while ((void *)(a + 1) <= end && a->nla_len) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a + 1;
		a = (void *)a + NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

/* What taskstats says of this process; false without CONFIG_TASKSTATS */
static bool task_stats(struct taskstats *stats)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), len;
	__u32 pid = getpid();
	struct nlattr *a;
	void *p = NULL;
	struct genl m;

	len = genl_ask(fd, &m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
		       TASKSTATS_GENL_NAME, sizeof(TASKSTATS_GENL_NAME));
	if (len > 0)
		p = genl_find(&m.a, (void *)&m + len, CTRL_ATTR_FAMILY_ID);
	if (p)
		len = genl_ask(fd, &m, *(__u16 *)p, TASKSTATS_CMD_GET,
			       TASKSTATS_CMD_ATTR_PID, &pid, sizeof(pid));
	close(fd);
	if (!p || len <= 0)
		return false;
	p = genl_find(&m.a, (void *)&m + len, TASKSTATS_TYPE_AGGR_PID);
	if (!p)
		return false;
	a = p - NLA_HDRLEN;
	p = genl_find(p, (void *)a + a->nla_len, TASKSTATS_TYPE_STATS);
	if (p)
		memcpy(stats, p, sizeof(*stats));
	return p;
}

TEST_F(stamps, start_of_a_process_in_its_accounting)
{
	struct taskstats stats = { };

	if (!task_stats(&stats))
		SKIP(return, "needs CONFIG_TASKSTATS and CONFIG_TASK_XACCT");
	/* The process began just before the test, whose setup takes less than that */
	EXPECT_LE(self->before / NSEC - 60, stats.ac_btime64);
	EXPECT_GE(now(CLOCK_REALTIME) / NSEC, stats.ac_btime64);
	EXPECT_EQ(stats.ac_btime64, stats.ac_btime);

	/* Negative control: who asks from outside sees the host's */
	LEAVE();
	ASSERT_TRUE(task_stats(&stats));
	EXPECT_GT(self->before / NSEC - 800000, stats.ac_btime64);
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
