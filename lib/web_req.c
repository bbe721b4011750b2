/* web_req.c - what a request says, and the answer to it. */
#include "web_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zlib.h>

#include "address.h"
#include "err.h"
#include "percent.h"

enum { GZIP_FROM = 1024 };

static bool
is_decent(const char *id)
{
	size_t n = id ? strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") : 0;

	return n > 0 && n <= 64 && !id[n];
}

static void
name_it(struct web_req *r)
{
	static uint64_t n;
	const char *theirs = web_header(r, "X-Request-Id");

	if (!n && getrandom(&n, sizeof(n), 0) < 0)
		n = (uint64_t)r->since_us;
	if (is_decent(theirs))
		snprintf(r->id, sizeof(r->id), "%s", theirs);
	else
		snprintf(r->id, sizeof(r->id), "%016llx", (unsigned long long)(n += 0x9e3779b97f4a7c15u));
}

/* Decoded copies lie in r->kept, whose room is made before: they are pointed to. */
static enum MHD_Result
add_param(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct web_req *r = cls;
	const char *part[2] = { name, value ? value : "" };
	size_t at[2];

	(void)kind;
	if (r->nparams < 0 || r->nparams == WEB_PARAMS) {
		r->nparams = -1;
		return MHD_NO;
	}
	for (int i = 0; i < 2; i++) {
		at[i] = r->kept.len;
		if (percent_decode(&r->kept, part[i], strlen(part[i])) < 0) {
			r->nparams = -1;
			return MHD_NO;
		}
		buf_addc(&r->kept, '\0');
	}
	r->param[r->nparams].name = r->kept.p + at[0];
	r->param[r->nparams++].value = r->kept.p + at[1];
	return MHD_YES;
}

/* Lengths given twice, or by two means, and names that are none: a proxy before us may have
 * found another request in the same bytes. */
struct framing {
	unsigned lengths, codings;
	bool odd;
};

static enum MHD_Result
look_at(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *f = cls;

	(void)kind, (void)value;
	f->lengths += strcasecmp(name, "Content-Length") == 0;
	f->codings += strcasecmp(name, "Transfer-Encoding") == 0;
	f->odd |= !*name;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		f->odd |= !isalnum(*p) && !strchr("!#$%&'*+-.^_`|~", *p);
	return MHD_YES;
}

static bool
is_ambiguous(struct MHD_Connection *con)
{
	struct framing f = { 0, 0, false };

	MHD_get_connection_values(con, MHD_HEADER_KIND, look_at, &f);
	return f.odd || f.lengths + f.codings > 1;
}

void
web_req_fill(struct web_req *r, struct MHD_Connection *con, const char *url, const char *method)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	r->method = method;
	r->path = url;
	r->loopback = info && info->client_addr && address_loopback(info->client_addr);
	info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	r->secure = info && info->tls_session;
	r->ambiguous = is_ambiguous(con);
	name_it(r);
	if (MHD_get_connection_values(con, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0) {
		buf_room(&r->kept, WEB_HEADER + 2 * WEB_PARAMS);
		MHD_get_connection_values(con, MHD_GET_ARGUMENT_KIND, add_param, r);
	}
}

const char *
web_header(const struct web_req *r, const char *name)
{
	return MHD_lookup_connection_value(r->con, MHD_HEADER_KIND, name);
}

const char *
web_param(const struct web_req *r, const char *name)
{
	for (int i = 0; i < r->nparams; i++)
		if (strcmp(r->param[i].name, name) == 0)
			return r->param[i].value;
	return NULL;
}

void
web_add(struct web_req *r, const char *name, const char *value)
{
	buf_add(&r->head, name, strlen(name) + 1);
	for (; *value; value++)
		buf_addc(&r->head, (unsigned char)*value < ' ' || *value == 127 ? ' ' : *value);
	buf_addc(&r->head, '\0');
}

struct MHD_Response *
web_with_headers(struct web_req *r, struct MHD_Response *m, const char *type)
{
	const char *p = r->head.p, *end = p + r->head.len;

	if (!m)
		die(XTEMP, "no memory for an answer");
	for (; p < end; p += strlen(p) + 1) {
		const char *name = p;

		p += strlen(p) + 1;
		MHD_add_response_header(m, name, p);
	}
	if (type)
		MHD_add_response_header(m, "Content-Type", type);
	MHD_add_response_header(m, "X-Request-Id", r->id);
	if (r->ambiguous)
		MHD_add_response_header(m, "Connection", "close");
	return m;
}

/* Its weight among a coding's parameters, *p behind the coding; 1 where it has none. */
static double
weight(const char *p)
{
	size_t n = strcspn(p, ",");

	for (const char *q = p; (q = memchr(q, ';', (size_t)(p + n - q))); q++) {
		const char *v = q + 1 + strspn(q + 1, " \t");

		if ((*v == 'q' || *v == 'Q') && v[1] == '=')
			return strtod(v + 2, NULL);
	}
	return 1;
}

bool
web_takes_gzip(const char *accept)
{
	bool any = false;

	for (const char *p = accept; p && *p; p += strcspn(p, ",")) {
		size_t n;

		p += strspn(p, ", \t");
		n = strcspn(p, ",; \t");
		if ((n == 4 && strncasecmp(p, "gzip", n) == 0) || (n == 6 && strncasecmp(p, "x-gzip", n) == 0))
			return weight(p + n) > 0;
		if (n == 1 && *p == '*')
			any = weight(p + n) > 0;
	}
	return any;
}

/* b becomes its gzip; false: it stays. */
static bool
zip(struct buf *b)
{
	struct buf out = BUF_INIT;
	z_stream z = { .next_in = (void *)b->p, .avail_in = (unsigned)b->len };
	bool ok;

	if (b->len > UINT32_MAX || deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	buf_room(&out, deflateBound(&z, b->len));
	z.next_out = (void *)out.p;
	z.avail_out = (unsigned)out.cap;
	ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
	out.len = z.total_out;
	deflateEnd(&z);
	buf_free(ok ? b : &out);
	if (ok)
		*b = out;
	return ok;
}

void
web_answer(struct web_req *r, unsigned status, const char *type, struct buf *b)
{
	struct buf none = BUF_INIT;
	struct MHD_Response *m;

	if (!b)
		b = &none;
	if (b->len >= GZIP_FROM) {
		web_add(r, "Vary", "Accept-Encoding");
		if (web_takes_gzip(web_header(r, "Accept-Encoding")) && zip(b))
			web_add(r, "Content-Encoding", "gzip");
	}
	r->status = status;
	m = MHD_create_response_from_buffer(b->len, b->len ? b->p : (void *)(uintptr_t)"", b->len ? MHD_RESPMEM_MUST_FREE
	                                                                                   : MHD_RESPMEM_PERSISTENT);
	if (!b->len)
		buf_free(b);
	*b = none;
	r->response = web_with_headers(r, m, type);
	web_respond(r);
}

void
web_static(struct web_req *r, unsigned status, const char *type, const void *bytes, size_t len)
{
	r->status = status;
	r->response = web_with_headers(r,
	    MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT), type);
	web_respond(r);
}
