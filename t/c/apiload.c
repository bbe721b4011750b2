/* apiload - requests to jobs-api at a given rate, whether it keeps up or not.
 *
 *     apiload -p port -t tokenfile -g job_id [-r rate] [-s seconds] [-c connections]
 *             [-w percent] [-n name]
 *
 * Request i is due at i/rate seconds; it waits for a free connection where there is
 * none, and its time counts from when it was due, so that a server that stalls shows in all
 * that was due meanwhile. percent of them, spread evenly, submit a job, name-i; the others ask for
 * job_id. One line of NDJSON for each kind: n, failed (another status than 200 and 202,
 * or none), and the times in ms. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "mem.h"
#include "now.h"

enum { CONNECTIONS = 1000, TAIL_S = 10 };
enum kind { GET, POST };

struct con {
	int fd;
	bool busy;
	size_t i;               /* which request */
	struct buf in;
};

static struct {
	uint16_t port;
	const char *id, *name;
	char token[256];
	unsigned long rate, seconds, connections, percent;
} opt = { .name = "load", .rate = 1000, .seconds = 10, .connections = 64, .percent = 20 };

static struct con con[CONNECTIONS];
static float *took;             /* ms of each request; below 0: failed or not answered */
static size_t sent, answered, total;
static int64_t begin_us;

static enum kind
kind_of(size_t i)
{
	return (i + 1) * opt.percent / 100 > i * opt.percent / 100 ? POST : GET;
}

static int64_t
due_us(size_t i)
{
	return begin_us + (int64_t)(i * 1000000 / opt.rate);
}

static void
open_con(struct con *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die_sys(XTEMP, "connect to 127.0.0.1:%u", opt.port);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->busy = false;
	c->in.len = 0;
}

static void
settle(struct con *c, bool good)
{
	took[c->i] = good ? (float)(now_us() - due_us(c->i)) / 1000 : -1;
	answered++;
	c->busy = false;
	c->in.len = 0;
}

/* One that was idle for long may have been closed, as any client has to expect. */
static void
fresh(struct con *c)
{
	char byte;

	if (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) {
		close(c->fd);
		open_con(c);
	}
}

static void
put(struct con *c, size_t i)
{
	static struct buf b;
	char body[512];
	int len = 0;

	fresh(c);
	b.len = 0;
	if (kind_of(i) == POST) {
		len = snprintf(body, sizeof(body), "{\"job_id\":\"%s-%zu\",\"pipeline\":\"load\",\"text\":\"Number %zu of the load.\"}", opt.name, i, i);
		buf_addf(&b, "POST /v1/jobs HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", len);
	} else {
		buf_addf(&b, "GET /v1/jobs/%s HTTP/1.1\r\n", opt.id);
	}
	buf_addf(&b, "Host: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n\r\n", opt.port, opt.token);
	buf_add(&b, body, (size_t)len);
	c->busy = true;
	c->i = i;
	if (send(c->fd, b.p, b.len, MSG_NOSIGNAL) != (ssize_t)b.len) {
		settle(c, false);
		close(c->fd);
		open_con(c);
	}
}

/* Bytes of the answer that is in c, or 0 when it is not whole. */
static size_t
whole(struct con *c)
{
	const char *end = strstr(buf_str(&c->in), "\r\n\r\n"), *p;

	if (!end)
		return 0;
	p = strcasestr(c->in.p, "\r\nContent-Length:");
	return (size_t)(end - c->in.p) + 4 + (p && p < end ? strtoul(p + 17, NULL, 10) : 0);
}

static void
take(struct con *c)
{
	ssize_t n = recv(c->fd, buf_room(&c->in, 65536), 65536, MSG_DONTWAIT);
	size_t len;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		if (c->busy)
			settle(c, false);
		close(c->fd);
		open_con(c);
		return;
	}
	c->in.len += (size_t)n;
	len = whole(c);
	if (len && c->in.len >= len)
		settle(c, !strncmp(c->in.p, "HTTP/1.1 20", 11));
}

static void
turn(void)
{
	static struct pollfd p[CONNECTIONS];
	int64_t wait = sent < total ? due_us(sent) - now_us() : 100000;

	for (size_t i = 0; i < opt.connections && sent < total && due_us(sent) <= now_us(); i++)
		if (!con[i].busy)
			put(&con[i], sent++);
	for (size_t i = 0; i < opt.connections; i++)
		p[i] = (struct pollfd){ .fd = con[i].fd, .events = POLLIN };
	/* poll's millisecond is too long where one is due sooner. */
	if (poll(p, opt.connections, wait > 2000 ? (int)(wait / 1000) : wait > 0 ? 0 : 1) < 0 && errno != EINTR)
		die_sys(XTEMP, "poll");
	for (size_t i = 0; i < opt.connections; i++)
		if (p[i].revents)
			take(&con[i]);
}

static int
by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
report(enum kind kind)
{
	float *t = mem_array(NULL, total + 1, sizeof(*t));
	size_t n = 0, failed = 0;

	for (size_t i = 0; i < total; i++)
		if (kind_of(i) == kind) {
			failed += took[i] < 0;
			if (took[i] >= 0)
				t[n++] = took[i];
		}
	qsort(t, n, sizeof(*t), by_size);
	printf("{\"kind\":\"%s\",\"rate\":%lu,\"n\":%zu,\"failed\":%zu", kind == GET ? "get" : "post", opt.rate, n + failed, failed);
	if (n)
		printf(",\"p50_ms\":%.2f,\"p95_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f", (double)t[n / 2], (double)t[n * 95 / 100],
		    (double)t[n * 99 / 100], (double)t[n - 1]);
	printf("}\n");
	free(t);
}

static void
options(int argc, char **argv)
{
	const char *file = NULL;
	FILE *f;
	int c;

	while ((c = getopt(argc, argv, "+p:t:g:r:s:c:w:n:")) != -1)
		switch (c) {
		case 'p': opt.port = (uint16_t)arg_ulong("-p", optarg, 1, 65535); break;
		case 't': file = optarg; break;
		case 'g': opt.id = optarg; break;
		case 'r': opt.rate = arg_ulong("-r", optarg, 1, 100000); break;
		case 's': opt.seconds = arg_ulong("-s", optarg, 1, 86400); break;
		case 'c': opt.connections = arg_ulong("-c", optarg, 1, CONNECTIONS); break;
		case 'w': opt.percent = arg_ulong("-w", optarg, 0, 100); break;
		case 'n': opt.name = optarg; break;
		default: die_usage("apiload -p port -t tokenfile -g job_id [-r rate] [-s seconds] [-c connections] [-w percent] [-n name]");
		}
	if (!opt.port || !opt.id || !file || !(f = fopen(file, "r")) || fscanf(f, "%255s", opt.token) != 1)
		die(XPERM, "-p, -g and a file for -t are needed");
	fclose(f);
}

int
main(int argc, char **argv)
{
	err_init("apiload");
	options(argc, argv);
	total = opt.rate * opt.seconds;
	took = mem_array(NULL, total, sizeof(*took));
	for (size_t i = 0; i < total; i++)
		took[i] = -1;
	for (size_t i = 0; i < opt.connections; i++)
		open_con(&con[i]);
	begin_us = now_us();
	while (answered < total && now_us() < begin_us + (int64_t)(opt.seconds + TAIL_S) * 1000000)
		turn();
	report(GET);
	report(POST);
	return 0;
}
