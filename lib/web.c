/* web.c - the daemon: it starts, is run by the loop, ends. */
#include "web_int.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "address.h"
#include "err.h"
#include "now.h"

enum {
	LAST_MS = 1000,
	TURNS_FREE = 16, PAUSE_MAX_MS = 10
};

static struct web_opts opts;
static struct MHD_Daemon *daemon_;
static struct web_counts counts;

static void on_ready(struct loop_io *io, uint32_t events);
static void on_again(struct loop_timer *t);
static struct loop_io io = { .fd = -1, .ready = on_ready };
static struct loop_timer again = { .due = on_again };
static unsigned turns;                  /* in a row for which nothing has happened */

/* While a TLS handshake waits for its client, libmicrohttpd (0.9.75) wants to be run again at
 * once, without end. Other work that it has in this state is done in the free turns,
 * or is told of by an event. */
static int64_t
pause_ms(void)
{
	unsigned over;

	if (!opts.cert || !web_conns_fresh() || ++turns <= TURNS_FREE)
		return 0;
	over = turns - TURNS_FREE;
	return over < PAUSE_MAX_MS ? over : PAUSE_MAX_MS;
}

static void
turn(void)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	again.at = 0;
	MHD_run(daemon_);
	/* What it called may have said that there is more to do, now. */
	if (!again.at && MHD_get_timeout(daemon_, &wait_ms) == MHD_YES)
		loop_in(&again, wait_ms ? (int64_t)wait_ms : pause_ms());
}

static void
on_ready(struct loop_io *i, uint32_t events)
{
	(void)i, (void)events;
	turns = 0;
	turn();
}

static void
on_again(struct loop_timer *t)
{
	(void)t;
	turn();
}

void
web_again(void)
{
	turns = 0;
	loop_in(&again, 0);
}

/* Paths and parameters are decoded by us, piece by piece. */
static size_t
as_it_is(void *cls, struct MHD_Connection *con, char *s)
{
	(void)cls, (void)con;
	return strlen(s);
}

static void
on_message(void *cls, const char *fmt, va_list ap)
{
	(void)cls, (void)fmt, (void)ap;
}

/* As many connections as there are descriptors for, and some for ourselves. */
static unsigned
room(unsigned want)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 256;
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur < want + 64u ? (l.rlim_cur > 128 ? (unsigned)l.rlim_cur - 64 : 64) : want;
}

/* After which libmicrohttpd itself ends a connection on which nothing moves: never before web_reap would. */
static unsigned
silence_s(const struct web_times *t)
{
	return (unsigned)ceil(fmax(fmax(t->first, t->idle), t->body));
}

void
web_start(const struct web_opts *o)
{
	struct addrinfo *a = address_read(o->address);
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (o->cert ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key },
		{ MHD_OPTION_END, 0, NULL }
	};

	if (!a)
		die(XPERM, "-l takes an address and a port, such as 127.0.0.1:9480: %s", o->address);
	opts = *o;
	opts.connections = room(o->connections);
	if (opts.connections < o->connections)
		warn("no more than %u connections: the limit of open files is low (ulimit -n)", opts.connections);
	errno = 0;
	daemon_ = MHD_start_daemon(flags | (a->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL, web_way, &opts,
	    MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
	    MHD_OPTION_SOCK_ADDR, a->ai_addr, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u,
	    MHD_OPTION_CONNECTION_LIMIT, opts.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_address,
	    MHD_OPTION_CONNECTION_TIMEOUT, silence_s(&o->times), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)WEB_HEADER,
	    MHD_OPTION_UNESCAPE_CALLBACK, as_it_is, NULL, MHD_OPTION_NOTIFY_COMPLETED, web_way_end, &opts,
	    MHD_OPTION_NOTIFY_CONNECTION, web_conns_notify, &counts,
	    MHD_OPTION_ARRAY, o->cert ? tls : &tls[2], MHD_OPTION_END);
	freeaddrinfo(a);
	if (!daemon_)
		die_sys(XTEMP, "listen on %s%s", o->address, o->cert ? " with SLUICE_API_CERT and SLUICE_API_KEY" : "");
	loop_on(&io, MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EPOLLIN);
}

unsigned
web_port(void)
{
	return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void
web_reap(void)
{
	web_conns_reap(&opts, &counts);
	/* At its limit libmicrohttpd stops listening, and looks whether it may again only when it
	 * is run for something else: with all of the connections gone nothing would be. */
	web_again();
}

void
web_close(void)
{
	MHD_socket fd = MHD_quiesce_daemon(daemon_);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void
web_stop(void)
{
	struct pollfd p = { .fd = io.fd, .events = POLLIN };

	/* libmicrohttpd aborts the process if one of them is still suspended when it stops. */
	web_conns_end(opts.abandon);
	for (int64_t end = now_ms() + LAST_MS; web_conns_busy() && now_ms() < end; (void)poll(&p, 1, 10))
		turn();
	loop_off(&io);
	MHD_stop_daemon(daemon_);
}

struct web_counts
web_counts(void)
{
	web_streams_count(&counts);
	web_way_count(&counts);
	return counts;
}
