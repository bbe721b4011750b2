/* ssemany - many readers of server-sent events, and how late they hear of a commit.
 *
 *     ssemany -p port -t tokenfile [-n streams] [-j jobs] [-e events] [-s seconds]
 *
 * Opens n streams of /v1/jobs/sse-J/events, J from 0 to jobs - 1 in turn, and reads
 * what comes at once until it is quiet. Then calls bench_step('sse-J'), a function that the bench makes
 * in SLUICE_DB, events times a second for different jobs: it commits a transition and returns its number. The
 * time of an event at a client is from when that call has returned to when the
 * client has read the event's id; both by the same clock. One line of NDJSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "mem.h"
#include "now.h"

enum { STREAMS = 60000, STEPS = 256, AT_ONCE = 64, PER_ADDRESS = 5000, TAIL_MS = 3000 };

struct reader {
	int fd;
	unsigned job;
	char part[64];          /* the beginning of a line that is not whole */
	size_t len;
	int last_n, last_k;
};

struct heard {
	unsigned job;
	int n;
	int64_t at_us;
};

static unsigned long streams = 10000, jobs = 1000, rate = 100, seconds = 30;
static uint16_t port;
static char token[256];
static struct reader *readers;
static struct heard *heard;
static size_t nheard, heard_room, ended, disordered;
static int poller;
static int64_t (*done_us)[STEPS];       /* when the commit of (job, n) was known */
static atomic_bool working;
static unsigned long late;              /* steps that the generator could not make in time */

static void
open_reader(size_t i)
{
	struct reader *r = &readers[i];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / PER_ADDRESS)) };
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = i };
	char head[512];
	int n, one = 1, small = 8192;

	r->job = (unsigned)(i % jobs);
	r->last_n = -1;
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(r->fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&from, sizeof(from)) < 0 || connect(r->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die_sys(XTEMP, "stream %zu", i);
	n = snprintf(head, sizeof(head), "GET /v1/jobs/sse-%u/events HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n\r\n",
	    r->job, port, token);
	if (send(r->fd, head, (size_t)n, MSG_NOSIGNAL) != n)
		die_sys(XTEMP, "stream %zu", i);
	if (epoll_ctl(poller, EPOLL_CTL_ADD, r->fd, &e) < 0)
		die_sys(XTEMP, "epoll");
}

static void
hear(struct reader *r, int n, int k)
{
	if (n < r->last_n || (n == r->last_n && k <= r->last_k))
		disordered++;
	r->last_n = n;
	r->last_k = k;
	if (k || n < 0 || n >= STEPS)
		return;
	if (nheard == heard_room) {
		heard_room = heard_room ? 2 * heard_room : 65536;
		heard = mem_array(heard, heard_room, sizeof(*heard));
	}
	heard[nheard++] = (struct heard){ r->job, n, now_us() };
}

static void
line(struct reader *r)
{
	int n, k;

	r->part[r->len] = '\0';
	if (sscanf(r->part, "id: %d.%d", &n, &k) == 2)
		hear(r, n, k);
	r->len = 0;
}

static void
read_stream(struct reader *r)
{
	static char b[65536];
	ssize_t n = recv(r->fd, b, sizeof(b), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		ended++;
		close(r->fd);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		if (b[i] == '\n')
			line(r);
		else if (r->len < sizeof(r->part) - 1)
			r->part[r->len++] = b[i];
}

/* Reads for at least ms; goes on while something comes. */
static void
read_all(int64_t ms)
{
	static struct epoll_event e[1024];
	int64_t end = now_ms() + ms;
	int n;

	while ((n = epoll_wait(poller, e, 1024, end > now_ms() ? (int)(end - now_ms()) : 0)) > 0 || now_ms() < end)
		for (int i = 0; i < n; i++)
			read_stream(&readers[e[i].data.u64]);
}

/* Each stream's first event is its history: when all have it, all are open. */
static void
open_all(void)
{
	int64_t until = now_ms() + 120000;

	for (size_t i = 0; i < streams; i++) {
		open_reader(i);
		if (i % AT_ONCE == AT_ONCE - 1)
			while (nheard + 4 * AT_ONCE < i && !ended && now_ms() < until)
				read_all(1);
	}
	while (nheard < streams && !ended && now_ms() < until)
		read_all(20);
	if (nheard < streams || ended)
		die(XTEMP, "only %zu of %lu streams have their history, %zu have ended", nheard, streams, ended);
}

static void *
generate(void *unused)
{
	PGconn *db = PQconnectdb(arg_env("SLUICE_DB", ""));
	unsigned long steps = rate * seconds;
	int64_t begin = now_us();

	(void)unused;
	if (PQstatus(db) != CONNECTION_OK)
		die(XTEMP, "%s", PQerrorMessage(db));
	PQclear(PQprepare(db, "step", "select public.bench_step($1)", 1, NULL));
	for (unsigned long i = 0; i < steps; i++) {
		int64_t wait = begin + (int64_t)(i * 1000000 / rate) - now_us();
		char name[32];
		const char *arg = name;
		PGresult *res;
		int n;

		if (wait > 0)
			usleep((useconds_t)wait);
		late += wait < -1000000;
		snprintf(name, sizeof(name), "sse-%lu", i % jobs);
		res = PQexecPrepared(db, "step", 1, &arg, NULL, NULL, 0);
		if (PQntuples(res) != 1)
			die(XTEMP, "bench_step: %s", PQresultErrorMessage(res));
		n = atoi(PQgetvalue(res, 0, 0));
		if (n > 0 && n < STEPS)
			done_us[i % jobs][n] = now_us();
		PQclear(res);
	}
	PQfinish(db);
	working = false;
	return NULL;
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
report(double open_s)
{
	int64_t *t = mem_array(NULL, nheard + 1, sizeof(*t));
	size_t n = 0, expected = 0, each;

	for (size_t i = 0; i < nheard; i++)
		if (done_us[heard[i].job][heard[i].n])
			t[n++] = heard[i].at_us - done_us[heard[i].job][heard[i].n];
	for (size_t j = 0; j < jobs; j++)
		for (int k = 0; k < STEPS; k++) {
			each = streams / jobs + (j < streams % jobs);
			expected += done_us[j][k] ? each : 0;
		}
	qsort(t, n, sizeof(*t), by_size);
	printf("{\"streams\":%lu,\"jobs\":%lu,\"open_s\":%.1f,\"events_s\":%lu,\"late\":%lu,\"heard\":%zu,\"lost\":%zu,\"disordered\":%zu,\"ended\":%zu",
	    streams, jobs, open_s, rate, late, n, expected - n, disordered, ended);
	if (n)
		printf(",\"p50_ms\":%.2f,\"p95_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f", (double)t[n / 2] / 1e3, (double)t[n * 95 / 100] / 1e3,
		    (double)t[n * 99 / 100] / 1e3, (double)t[n - 1] / 1e3);
	printf("}\n");
	free(t);
}

static void
options(int argc, char **argv)
{
	const char *file = NULL;
	FILE *f;
	int c;

	while ((c = getopt(argc, argv, "+p:t:n:j:e:s:")) != -1)
		switch (c) {
		case 'p': port = (uint16_t)arg_ulong("-p", optarg, 1, 65535); break;
		case 't': file = optarg; break;
		case 'n': streams = arg_ulong("-n", optarg, 1, STREAMS); break;
		case 'j': jobs = arg_ulong("-j", optarg, 1, STREAMS); break;
		case 'e': rate = arg_ulong("-e", optarg, 1, 10000); break;
		case 's': seconds = arg_ulong("-s", optarg, 1, 3600); break;
		default: die_usage("ssemany -p port -t tokenfile [-n streams] [-j jobs] [-e events] [-s seconds]");
		}
	if (!port || !file || !(f = fopen(file, "r")) || fscanf(f, "%255s", token) != 1)
		die(XPERM, "-p and a file for -t are needed");
	fclose(f);
	if (rate * seconds / jobs >= STEPS - 1)
		die(XPERM, "more than %d events of a job", STEPS - 2);
}

int
main(int argc, char **argv)
{
	struct rlimit files = { 0, 0 };
	pthread_t generator;
	int64_t begin;
	double open_s;

	err_init("ssemany");
	options(argc, argv);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < streams + 100)
		die(XPERM, "%lu streams need more open files: ulimit -n", streams);
	readers = mem_zalloc(streams * sizeof(*readers));
	done_us = mem_zalloc(jobs * sizeof(*done_us));
	poller = epoll_create1(EPOLL_CLOEXEC);
	begin = now_ms();
	open_all();
	open_s = (double)(now_ms() - begin) / 1000;
	read_all(1000);
	info("open: streams=%lu seconds=%.1f", streams, open_s);
	working = true;
	if (pthread_create(&generator, NULL, generate, NULL))
		die(XTEMP, "thread");
	while (working)
		read_all(10);
	pthread_join(generator, NULL);
	read_all(TAIL_MS);
	report(open_s);
	return 0;
}
