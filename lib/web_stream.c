/* web_stream.c - answers that go on. A stream that has nothing to say is suspended. */
#include "web_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "now.h"

enum { BLOCK = 1024, SEND_BUFFER = 64 << 10 };

struct web_stream {
	struct MHD_Connection *con;
	struct web_conn *conn;
	void (*gone)(void *ctx);
	void *ctx;
	struct buf out;
	size_t at;                      /* of out, sent */
	bool asleep, ended, dropped;
};

static struct { unsigned long open, dropped; size_t behind; } streams;

static void
wake(struct web_stream *s)
{
	if (!s->asleep)
		return;
	s->asleep = false;
	MHD_resume_connection(s->con);
	web_again();
}

static ssize_t
give(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct web_stream *s = cls;
	size_t n = web_behind(s);

	(void)pos;
	if (s->dropped)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0 && s->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	s->conn->since = now_ms();
	if (n == 0) {
		/* What a stream holds while it is silent is little: there are many of them. */
		buf_free(&s->out);
		s->at = 0;
		s->asleep = true;
		MHD_suspend_connection(s->con);
		return 0;
	}
	if (n > max)
		n = max;
	memcpy(buf, s->out.p + s->at, n);
	s->at += n;
	streams.behind -= n;
	return (ssize_t)n;
}

void
web_stream_free(void *cls)
{
	struct web_stream *s = cls;

	s->conn->stream = NULL;
	if (s->gone)
		s->gone(s->ctx);
	streams.open--;
	streams.behind -= web_behind(s);
	buf_free(&s->out);
	free(s);
}

struct web_stream *
web_stream(struct web_req *r, void (*gone)(void *ctx), void *ctx)
{
	struct web_stream *s = mem_zalloc(sizeof(*s));

	s->con = r->con;
	s->conn = r->conn;
	s->gone = gone;
	s->ctx = ctx;
	s->conn->stream = s;
	streams.open++;
	web_add(r, "X-Accel-Buffering", "no");
	r->status = 200;
	r->response = web_with_headers(r,
	    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, give, s, web_stream_free), "text/event-stream");
	/* The kernel would keep megabytes for a reader that takes nothing. */
	setsockopt(s->conn->fd, SOL_SOCKET, SO_SNDBUF, &(int){ SEND_BUFFER }, sizeof(int));
	web_conn_phase(s->conn, PHASE_STREAM);
	web_respond(r);
	return s;
}

size_t
web_behind(const struct web_stream *s)
{
	return s->out.len - s->at;
}

int
web_send(struct web_stream *s, const char *p, size_t len)
{
	size_t behind = web_behind(s) + len;

	if (s->ended)
		return -1;
	if (behind > WEB_STREAM || (behind > WEB_STREAM / 16 && streams.behind + len > WEB_STREAMS)) {
		s->ended = s->dropped = true;
		streams.dropped++;
		shutdown(s->conn->fd, SHUT_RDWR);
		wake(s);
		return -1;
	}
	if (s->at > 4096) {
		buf_shift(&s->out, s->at);
		s->at = 0;
	}
	buf_add(&s->out, p, len);
	streams.behind += len;
	wake(s);
	return 0;
}

void
web_end(struct web_stream *s)
{
	s->ended = true;
	wake(s);
}

void
web_streams_count(struct web_counts *n)
{
	n->streams = streams.open;
	n->dropped = streams.dropped;
}
