/* failcall - preloaded: the N-th call of one kind fails in a program that talks
 * to services, as FAIL=KIND:N says, in the program FAIL_PROG only (its
 * children inherit the environment). FAIL_SEEN, a file: made when it has happened.
 * FAIL_COUNT, a file: gets "KIND CALLS" for each kind at exit.
 *
 *   read write open pipe fork mmap poll fsync rename      the system call fails
 *   socket connect send recv epoll accept eventfd         the same, in libraries
 *   pq-connect   the database is not there
 *   pq-null      libpq has no memory for the result; nothing is sent
 *   pq-before    the connection breaks before the statement is sent
 *   pq-lost      it breaks when the statement is sent: it runs, nobody hears the answer
 *   pq-after     it breaks when the statement was run and committed
 *   pq-retry     the server refuses the statement for now (40001)
 *   rk-NAME      rd_kafka_NAME fails: new subscribe assign commit committed
 *                metadata offsets pause resume topic produce init begin abort end
 *   rk-end-after commit_transaction commits, and says that it could not
 *   rk-end-again the same, as an error that may be tried again
 *   rk-fatal     the producer is fenced before commit_transaction */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
	READ, WRITE, OPEN, PIPE, FORK, MMAP, POLL, FSYNC, RENAME, SOCKET, CONNECT, SEND, RECV,
	EPOLL, ACCEPT, EVENTFD,
	PQ_CONNECT, PQ_NULL, PQ_BEFORE, PQ_LOST, PQ_AFTER, PQ_RETRY,
	RK_NEW, RK_SUBSCRIBE, RK_ASSIGN, RK_COMMIT, RK_COMMITTED, RK_METADATA, RK_OFFSETS, RK_PAUSE, RK_RESUME,
	RK_TOPIC, RK_PRODUCE, RK_INIT, RK_BEGIN, RK_ABORT, RK_END, RK_END_AFTER, RK_END_AGAIN, RK_FATAL, KINDS
};
static const char *const names[KINDS] = {
	"read", "write", "open", "pipe", "fork", "mmap", "poll", "fsync", "rename", "socket", "connect", "send", "recv",
	"epoll", "accept", "eventfd",
	"pq-connect", "pq-null", "pq-before", "pq-lost", "pq-after", "pq-retry",
	"rk-new", "rk-subscribe", "rk-assign", "rk-commit", "rk-committed", "rk-metadata", "rk-offsets", "rk-pause", "rk-resume",
	"rk-topic", "rk-produce", "rk-init", "rk-begin", "rk-abort", "rk-end", "rk-end-after", "rk-end-again", "rk-fatal"
};
static atomic_long calls[KINDS];
static int which = -1;          /* the kind that fails */
static long at;
static pid_t self;
static rd_kafka_error_t *again;         /* the error that says: try again */

#define NEXT(type, name, ...) \
	static type (*next)(__VA_ARGS__); \
	if (!next) \
		*(void **)&next = dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void
set_up(void)
{
	const char *what = getenv("FAIL"), *prog = getenv("FAIL_PROG"), *colon;

	if (prog && strcmp(prog, program_invocation_short_name) != 0)
		return;
	self = getpid();
	if (!what || !(colon = strchr(what, ':')))
		return;
	for (int i = 0; i < KINDS; i++)
		if (strlen(names[i]) == (size_t)(colon - what) && !strncmp(names[i], what, (size_t)(colon - what)))
			which = i;
	at = strtol(colon + 1, NULL, 10);
}

__attribute__((destructor)) static void
say_counts(void)
{
	const char *path = getenv("FAIL_COUNT");
	FILE *f;

	if (!path || self != getpid() || !(f = fopen(path, "w")))
		return;
	for (int i = 0; i < KINDS; i++)
		fprintf(f, "%s %ld\n", names[i], atomic_load(&calls[i]));
	fclose(f);
}

static int
fails(enum kind k)
{
	const char *seen;
	long n;

	if (!self)
		return 0;
	n = atomic_fetch_add(&calls[k], 1) + 1;
	if ((int)k != which || n != at)
		return 0;
	if ((seen = getenv("FAIL_SEEN"))) {
		which = -1;     /* the open does not count */
		close(open(seen, O_CREAT | O_WRONLY, 0600));
	}
	return 1;
}

/* A call that sets errno and returns bad. */
#define FAILS(kind, error, bad) \
	if (fails(kind)) { \
		errno = (error); \
		return bad; \
	}

ssize_t
read(int fd, void *p, size_t n)
{
	NEXT(ssize_t, "read", int, void *, size_t);
	FAILS(READ, EIO, -1)
	return next(fd, p, n);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	NEXT(ssize_t, "write", int, const void *, size_t);
	if (fd != 2)
		FAILS(WRITE, ENOSPC, -1)
	return next(fd, p, n);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	NEXT(ssize_t, "writev", int, const struct iovec *, int);
	if (fd != 2)
		FAILS(WRITE, ENOSPC, -1)
	return next(fd, v, n);
}

int
open(const char *path, int flags, ...)
{
	NEXT(int, "open", const char *, int, ...);
	va_list a;
	int mode;

	va_start(a, flags);
	mode = va_arg(a, int);
	va_end(a);
	FAILS(OPEN, EMFILE, -1)
	return next(path, flags, mode);
}

int
pipe2(int fd[2], int flags)
{
	NEXT(int, "pipe2", int *, int);
	FAILS(PIPE, EMFILE, -1)
	return next(fd, flags);
}

pid_t
fork(void)
{
	NEXT(pid_t, "fork", void);
	FAILS(FORK, EAGAIN, -1)
	return next();
}

void *
mmap(void *p, size_t n, int prot, int flags, int fd, off_t off)
{
	NEXT(void *, "mmap", void *, size_t, int, int, int, off_t);
	FAILS(MMAP, ENOMEM, MAP_FAILED)
	return next(p, n, prot, flags, fd, off);
}

int
poll(struct pollfd *p, nfds_t n, int ms)
{
	NEXT(int, "poll", struct pollfd *, nfds_t, int);
	FAILS(POLL, ENOMEM, -1)
	return next(p, n, ms);
}

int
fsync(int fd)
{
	NEXT(int, "fsync", int);
	FAILS(FSYNC, EIO, -1)
	return next(fd);
}

int
rename(const char *a, const char *b)
{
	NEXT(int, "rename", const char *, const char *);
	FAILS(RENAME, EIO, -1)
	return next(a, b);
}

int
socket(int d, int t, int p)
{
	NEXT(int, "socket", int, int, int);
	FAILS(SOCKET, EMFILE, -1)
	return next(d, t, p);
}

int
connect(int fd, const struct sockaddr *a, socklen_t n)
{
	NEXT(int, "connect", int, const struct sockaddr *, socklen_t);
	FAILS(CONNECT, ECONNREFUSED, -1)
	return next(fd, a, n);
}

int
epoll_create1(int flags)
{
	NEXT(int, "epoll_create1", int);
	FAILS(EPOLL, EMFILE, -1)
	return next(flags);
}

int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *e)
{
	NEXT(int, "epoll_ctl", int, int, int, struct epoll_event *);
	/* What takes one out needs no memory. */
	if (op != EPOLL_CTL_DEL)
		FAILS(EPOLL, ENOSPC, -1)
	return next(epfd, op, fd, e);
}

int
epoll_wait(int epfd, struct epoll_event *e, int n, int ms)
{
	NEXT(int, "epoll_wait", int, struct epoll_event *, int, int);
	FAILS(EPOLL, EINTR, -1)
	return next(epfd, e, n, ms);
}

int
accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	NEXT(int, "accept4", int, struct sockaddr *, socklen_t *, int);
	FAILS(ACCEPT, EMFILE, -1)
	return next(fd, a, n, flags);
}

int
eventfd(unsigned n, int flags)
{
	NEXT(int, "eventfd", unsigned, int);
	FAILS(EVENTFD, EMFILE, -1)
	return next(n, flags);
}

/* The peer is gone, for whoever asks next too: libpq asks again after a failed send. */
#define RESET(kind) \
	if (fails(kind)) { \
		shutdown(fd, SHUT_RDWR); \
		errno = ECONNRESET; \
		return -1; \
	}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	NEXT(ssize_t, "send", int, const void *, size_t, int);
	RESET(SEND)
	return next(fd, p, n, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	NEXT(ssize_t, "sendmsg", int, const struct msghdr *, int);
	RESET(SEND)
	return next(fd, m, flags);
}

ssize_t
recv(int fd, void *p, size_t n, int flags)
{
	NEXT(ssize_t, "recv", int, void *, size_t, int);
	RESET(RECV)
	return next(fd, p, n, flags);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	NEXT(ssize_t, "recvmsg", int, struct msghdr *, int);
	RESET(RECV)
	return next(fd, m, flags);
}

/* libpq */

PGconn *
PQconnectdbParams(const char *const *keys, const char *const *vals, int expand)
{
	static const char *const k[] = { "host", "port", NULL }, *const v[] = { "/nonexistent", "1", NULL };
	NEXT(PGconn *, "PQconnectdbParams", const char *const *, const char *const *, int);

	return fails(PQ_CONNECT) ? next(k, v, 0) : next(keys, vals, expand);
}

PGconn *
PQconnectStartParams(const char *const *keys, const char *const *vals, int expand)
{
	static const char *const k[] = { "host", "port", NULL }, *const v[] = { "/nonexistent", "1", NULL };
	NEXT(PGconn *, "PQconnectStartParams", const char *const *, const char *const *, int);

	return fails(PQ_CONNECT) ? next(k, v, 0) : next(keys, vals, expand);
}

static void
cut(PGconn *c)
{
	shutdown(PQsocket(c), SHUT_RDWR);
}

/* The last result of a statement that was sent. */
static PGresult *
last(PGconn *c)
{
	PGresult *r, *kept = NULL;

	while ((r = PQgetResult(c))) {
		PQclear(kept);
		kept = r;
		if (PQstatus(c) != CONNECTION_OK)
			break;
	}
	return kept;
}

/* Sent whole, then nothing is to be heard. */
static PGresult *
lose(PGconn *c, int sent)
{
	if (sent)
		while (PQflush(c) > 0)
			;
	cut(c);
	return last(c);
}

#define REFUSE "do $$ begin raise exception 'injected' using errcode = '40001'; end $$"

static PGresult *
refused(PGconn *c, PGresult *(*exec)(PGconn *, const char *))
{
	return exec(c, REFUSE);
}

static PGresult *
broken(PGconn *c, PGresult *good, PGresult *(*exec)(PGconn *, const char *))
{
	PQclear(good);
	cut(c);
	return exec(c, "select 1");
}

#define STATEMENT(call, send) \
	if (fails(PQ_NULL)) \
		return NULL; \
	if (fails(PQ_BEFORE)) \
		cut(c); \
	if (fails(PQ_LOST)) \
		return lose(c, send); \
	if (fails(PQ_RETRY)) \
		return refused(c, exec); \
	if (fails(PQ_AFTER)) \
		return broken(c, call, exec); \
	return call;

static PGresult *
(*real_exec(void))(PGconn *, const char *)
{
	NEXT(PGresult *, "PQexec", PGconn *, const char *);
	return next;
}

static int
(*real_send(void))(PGconn *, const char *)
{
	NEXT(int, "PQsendQuery", PGconn *, const char *);
	return next;
}

PGresult *
PQexec(PGconn *c, const char *sql)
{
	PGresult *(*exec)(PGconn *, const char *) = real_exec();
	STATEMENT(exec(c, sql), real_send()(c, sql))
}

PGresult *
PQprepare(PGconn *c, const char *name, const char *sql, int n, const Oid *types)
{
	NEXT(PGresult *, "PQprepare", PGconn *, const char *, const char *, int, const Oid *);
	PGresult *(*exec)(PGconn *, const char *) = real_exec();
	STATEMENT(next(c, name, sql, n, types), PQsendPrepare(c, name, sql, n, types))
}

PGresult *
PQexecPrepared(PGconn *c, const char *name, int n, const char *const *v, const int *lens, const int *formats, int f)
{
	NEXT(PGresult *, "PQexecPrepared", PGconn *, const char *, int, const char *const *, const int *, const int *, int);
	PGresult *(*exec)(PGconn *, const char *) = real_exec();
	STATEMENT(next(c, name, n, v, lens, formats, f), PQsendQueryPrepared(c, name, n, v, lens, formats, f))
}

/* For those that do not wait. */

/* The statement is on its way; after: until it is done, whose answer is thrown away. */
static int
deaf(PGconn *c, int after)
{
	struct pollfd f = { .fd = PQsocket(c), .events = POLLIN };
	static ssize_t (*take)(int, void *, size_t, int);
	char some[4096];

	while (PQflush(c) > 0)
		;
	if (after) {
		if (!take)
			*(void **)&take = dlsym(RTLD_NEXT, "recv");
		for (int ms = 5000; poll(&f, 1, ms) > 0 && take(f.fd, some, sizeof(some), 0) > 0; ms = 20)
			;
	}
	cut(c);
	return 1;
}

#define SEND_OFF(call) \
	if (fails(PQ_NULL)) \
		return 0; \
	if (fails(PQ_BEFORE)) \
		cut(c); \
	if (fails(PQ_LOST)) \
		return call && deaf(c, 0); \
	if (fails(PQ_RETRY)) \
		return real_send()(c, REFUSE); \
	if (fails(PQ_AFTER)) \
		return call && deaf(c, 1); \
	return call;

int
PQsendQuery(PGconn *c, const char *sql)
{
	SEND_OFF(real_send()(c, sql))
}

int
PQsendPrepare(PGconn *c, const char *name, const char *sql, int n, const Oid *types)
{
	NEXT(int, "PQsendPrepare", PGconn *, const char *, const char *, int, const Oid *);
	SEND_OFF(next(c, name, sql, n, types))
}

int
PQsendQueryPrepared(PGconn *c, const char *name, int n, const char *const *v, const int *lens, const int *formats, int f)
{
	NEXT(int, "PQsendQueryPrepared", PGconn *, const char *, int, const char *const *, const int *, const int *, int);
	SEND_OFF(next(c, name, n, v, lens, formats, f))
}

/* librdkafka */

#define RK(kind, type, bad, name, params, args) \
	type rd_kafka_##name params \
	{ \
		static type (*next) params; \
		if (!next) \
			*(void **)&next = dlsym(RTLD_NEXT, "rd_kafka_" #name); \
		if (fails(kind)) \
			return bad; \
		return next args; \
	}

#define DOWN RD_KAFKA_RESP_ERR__TRANSPORT
#define ERROR rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "injected")

typedef rd_kafka_topic_partition_list_t parts;

RK(RK_SUBSCRIBE, rd_kafka_resp_err_t, DOWN, subscribe, (rd_kafka_t *k, const parts *p), (k, p))
RK(RK_ASSIGN, rd_kafka_resp_err_t, DOWN, assign, (rd_kafka_t *k, const parts *p), (k, p))
RK(RK_COMMIT, rd_kafka_resp_err_t, DOWN, commit, (rd_kafka_t *k, const parts *p, int async), (k, p, async))
RK(RK_COMMIT, rd_kafka_resp_err_t, DOWN, commit_queue, (rd_kafka_t *k, const parts *p, rd_kafka_queue_t *q,
    void (*cb)(rd_kafka_t *, rd_kafka_resp_err_t, parts *, void *), void *ctx), (k, p, q, cb, ctx))
RK(RK_COMMITTED, rd_kafka_resp_err_t, DOWN, committed, (rd_kafka_t *k, parts *p, int ms), (k, p, ms))
RK(RK_METADATA, rd_kafka_resp_err_t, DOWN, metadata, (rd_kafka_t *k, int all, rd_kafka_topic_t *t,
    const struct rd_kafka_metadata **m, int ms), (k, all, t, m, ms))
RK(RK_OFFSETS, rd_kafka_resp_err_t, DOWN, offsets_for_times, (rd_kafka_t *k, parts *p, int ms), (k, p, ms))
RK(RK_PAUSE, rd_kafka_resp_err_t, DOWN, pause_partitions, (rd_kafka_t *k, parts *p), (k, p))
RK(RK_RESUME, rd_kafka_resp_err_t, DOWN, resume_partitions, (rd_kafka_t *k, parts *p), (k, p))
RK(RK_TOPIC, rd_kafka_topic_t *, NULL, topic_new, (rd_kafka_t *k, const char *t, rd_kafka_topic_conf_t *c), (k, t, c))
RK(RK_PRODUCE, rd_kafka_error_t *, rd_kafka_error_new(RD_KAFKA_RESP_ERR__QUEUE_FULL, "injected"), produceva,
    (rd_kafka_t *k, const rd_kafka_vu_t *v, size_t n), (k, v, n))
RK(RK_INIT, rd_kafka_error_t *, ERROR, init_transactions, (rd_kafka_t *k, int ms), (k, ms))
RK(RK_BEGIN, rd_kafka_error_t *, ERROR, begin_transaction, (rd_kafka_t *k), (k))
RK(RK_ABORT, rd_kafka_error_t *, ERROR, abort_transaction, (rd_kafka_t *k, int ms), (k, ms))

rd_kafka_t *
rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *err, size_t n)
{
	NEXT(rd_kafka_t *, "rd_kafka_new", rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t);
	if (fails(RK_NEW)) {
		snprintf(err, n, "injected");
		errno = EAGAIN;         /* as for want of a thread */
		return NULL;
	}
	return next(type, conf, err, n);
}

rd_kafka_error_t *
rd_kafka_commit_transaction(rd_kafka_t *k, int ms)
{
	NEXT(rd_kafka_error_t *, "rd_kafka_commit_transaction", rd_kafka_t *, int);
	rd_kafka_error_t *e;

	if (fails(RK_END))
		return ERROR;
	if (fails(RK_FATAL))
		rd_kafka_test_fatal_error(k, RD_KAFKA_RESP_ERR__FENCED, "injected");
	e = next(k, ms);
	if (!e && fails(RK_END_AFTER))
		return ERROR;
	if (!e && fails(RK_END_AGAIN))
		return again = ERROR;
	return e;
}

int
rd_kafka_error_is_retriable(const rd_kafka_error_t *e)
{
	NEXT(int, "rd_kafka_error_is_retriable", const rd_kafka_error_t *);
	return (e && e == again) || next(e);
}
