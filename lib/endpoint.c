#include "endpoint.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "address.h"
#include "err.h"

/* Connections and when they came. A client that sends a byte now and then is
 * never idle for libmicrohttpd, so their whole time is bounded here. */
static struct {
	pthread_mutex_t lock;
	struct {
		int fd;
		time_t since;   /* 0: free */
	} c[ENDPOINT_MAX + 1];
} open_now = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void (*make_page)(struct buf *);
static atomic_ulong scrapes, refused;

static time_t
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1;
}

static void
on_connection(void *cls, struct MHD_Connection *con, void **socket_ctx, enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD);

	(void)cls, (void)socket_ctx;
	pthread_mutex_lock(&open_now.lock);
	for (int i = 0; fd && i <= ENDPOINT_MAX; i++)
		if (code == MHD_CONNECTION_NOTIFY_STARTED && !open_now.c[i].since) {
			open_now.c[i].fd = fd->connect_fd;
			open_now.c[i].since = seconds();
			break;
		} else if (code == MHD_CONNECTION_NOTIFY_CLOSED && open_now.c[i].since && open_now.c[i].fd == fd->connect_fd) {
			open_now.c[i].since = 0;
			break;
		}
	pthread_mutex_unlock(&open_now.lock);
}

void
endpoint_reap(void)
{
	pthread_mutex_lock(&open_now.lock);
	for (int i = 0; i <= ENDPOINT_MAX; i++)
		if (open_now.c[i].since && seconds() - open_now.c[i].since > ENDPOINT_SECS)
			shutdown(open_now.c[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&open_now.lock);
}

static enum MHD_Result
reply(struct MHD_Connection *con, unsigned code, const char *text, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok = MHD_NO;

	if (!r)
		return MHD_NO;
	if (MHD_add_response_header(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8") == MHD_YES &&
	    MHD_add_response_header(r, "Connection", "close") == MHD_YES &&
	    (code != MHD_HTTP_METHOD_NOT_ALLOWED || MHD_add_response_header(r, "Allow", "GET, HEAD") == MHD_YES))
		ok = MHD_queue_response(con, code, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *con, const char *url, const char *method, const char *version,
    const char *body, size_t *body_len, void **ctx)
{
	static const char what[] = "see /metrics\n", only[] = "GET and HEAD only\n";
	struct buf out = BUF_INIT;
	enum MHD_Result ok;

	(void)cls, (void)version, (void)body, (void)body_len, (void)ctx;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		refused++;
		return reply(con, MHD_HTTP_METHOD_NOT_ALLOWED, only, sizeof(only) - 1);
	}
	if (strcmp(url, "/metrics") != 0) {
		refused++;
		return reply(con, MHD_HTTP_NOT_FOUND, what, sizeof(what) - 1);
	}
	scrapes++;
	make_page(&out);
	ok = reply(con, MHD_HTTP_OK, out.p, out.len);
	buf_free(&out);
	return ok;
}

/* libmicrohttpd tells of each client that misbehaves; who wants to know asks
 * for how many were refused. */
static void
on_message(void *cls, const char *fmt, va_list ap)
{
	(void)cls, (void)fmt, (void)ap;
}

void
endpoint_start(const char *address, void (*page)(struct buf *out))
{
	struct addrinfo *a = address_read(address);
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ERROR_LOG;

	if (!a)
		die(XPERM, "-l takes an address and a port, such as 127.0.0.1:9464: %s", address);
	make_page = page;
	errno = 0;
	if (!MHD_start_daemon(flags | (a->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL, on_request, NULL,
	    MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
	    MHD_OPTION_SOCK_ADDR, a->ai_addr,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)ENDPOINT_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ENDPOINT_SECS,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)ENDPOINT_HEADER,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_END))
		die_sys(XTEMP, "listen on %s", address);
	freeaddrinfo(a);
}

unsigned long
endpoint_scrapes(void)
{
	return scrapes;
}

unsigned long
endpoint_refused(void)
{
	return refused;
}
