/* refeed - dead letters, mended, as requests for admit. See docs/refeed.1. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "request.h"
#include "stage.h"

static const char usage[] = "refeed [-f | -m]\n"
    "\n"
    "Reads dead letters as 'sluice dead export' writes them, mended or not, and\n"
    "writes the request of each, with \"supersedes\", for normalise, validate and\n"
    "admit.\n"
    "\n"
    "  -f  past the limits of mendings and runs\n"
    "  -m  dead letters are the lines with \"refeed\", all others pass untouched\n";

enum { ROOM = 4096 };           /* for what is added on the way to admit */

static struct stage s = STAGE_INIT;
static bool force, marked;

/* The request's bytes: "request" if somebody put it there, else as exported. */
static int
request_bytes(struct buf *out)
{
	const struct rec_member *m = rec_get(&s.rec, "request");
	static struct buf b64;

	if (m && m->type == '{') {
		buf_add(out, m->val, m->val_len);
		return 0;
	}
	if (rec_str(m, out) == 0 || rec_str(rec_get(&s.rec, "text"), out) == 0)
		return 0;
	b64.len = 0;
	return rec_str(rec_get(&s.rec, "b64"), &b64) == 0 ? b64_decode(out, b64.p, b64.len) : -1;
}

/* Why it can be no request, or NULL. r: the request, flat. */
static const char *
fault(const struct buf *bytes, struct buf *flat, struct rec *r, const char **code)
{
	static struct json_fault f;
	enum rec_status st;

	*code = f.code;
	if (json_check(bytes->p, bytes->len, &f) < 0) {
		*code = f.code;
		return f.what;
	}
	flat->len = 0;
	buf_add(flat, bytes->p, bytes->len);
	for (size_t i = 0; i < flat->len; i++)
		if (flat->p[i] == '\n' || flat->p[i] == '\r')
			flat->p[i] = ' ';
	st = rec_parse(r, flat->p, flat->len);
	if (st != REC_OK) {
		*code = rec_code(st);
		return rec_reason(st);
	}
	*code = "reserved";
	for (size_t i = 0; i < r->n; i++)
		if (request_reserved(&r->m[i]))
			return "it has a member that belongs to the stages";
	return NULL;
}

/* Whether so many bytes in base64 fit into a line beside so many others. */
static bool
fits(size_t bytes, size_t beside)
{
	return bytes / 3 * 4 + beside + ROOM <= RECORD_MAX;
}

/* {"raw":...,"supersedes":...,"error":...}: admit knows what to do with it. Bytes
 * that would not come through stay away, and the dead letter as it is. */
static void
wrap(const struct buf *bytes, const struct buf *supersedes, const struct rec_member *token, const char *code,
    const char *why)
{
	static struct buf line;

	line.len = 0;
	buf_adds(&line, "{\"raw\":\"");
	if (fits(bytes->len, 0))
		b64_encode(&line, bytes->p, bytes->len);
	buf_adds(&line, "\",\"supersedes\":");
	buf_add(&line, supersedes->p, supersedes->len);
	buf_adds(&line, ",\"error\":");
	stage_error_json(&line, code, false, 0, why);
	if (token) {
		buf_adds(&line, ",\"feed\":");
		buf_add(&line, token->val, token->val_len);
	}
	buf_addc(&line, '}');
	stage_emit(&s, line.p, line.len);
}

/* The member "supersedes", and whether the line asks for force itself. */
static void
say_dead(struct buf *supersedes)
{
	static struct rec own;
	const struct rec_member *m = marked ? rec_get(&s.rec, "refeed") : NULL;
	bool forced = force;
	uint64_t dead = 0;

	rec_u64(rec_get(&s.rec, "dead"), &dead);
	if (m && m->type == '{' && rec_parse(&own, m->val, m->val_len) == REC_OK)
		rec_bool(rec_get(&own, "force"), &forced);
	buf_addf(supersedes, "{\"dead\":%" PRIu64 ",\"force\":%s}", dead, forced ? "true" : "false");
}

static void
feed(void)
{
	static struct buf bytes, flat, supersedes, kafka, line;
	static struct rec r;
	const struct rec_member *token = rec_get(&s.rec, "feed");
	struct rec_change c[3] = { { .name = "supersedes" } };
	const char *why, *code;
	size_t n = 1;

	bytes.len = supersedes.len = kafka.len = line.len = 0;
	buf_str(&bytes);
	say_dead(&supersedes);
	if (request_bytes(&bytes) < 0) {
		wrap(&bytes, &supersedes, token, "no_bytes", "there is no \"request\", \"text\" or \"b64\" in it");
		return;
	}
	why = fault(&bytes, &flat, &r, &code);
	if (!why && bytes.len > RECORD_MAX - ROOM) {
		why = "the request is longer than a record";
		code = "too_large";
	}
	if (why) {
		wrap(&bytes, &supersedes, token, code, why);
		return;
	}
	c[0].val = supersedes.p;
	c[0].len = supersedes.len;
	if (memcmp(flat.p, bytes.p, flat.len) != 0 && fits(bytes.len, flat.len)) {
		buf_adds(&kafka, "{\"raw\":\"");
		b64_encode(&kafka, bytes.p, bytes.len);
		buf_adds(&kafka, "\"}");
		c[n++] = (struct rec_change){ "kafka", kafka.p, kafka.len };
	}
	if (token)      /* a feeder's: it knows the line by that */
		c[n++] = (struct rec_change){ "feed", token->val, token->val_len };
	rec_edit(&line, &r, c, n);
	stage_emit(&s, line.p, line.len);
}

int
main(int argc, char **argv)
{
	int c;

	err_init("refeed");
	arg_help(argc, argv, usage);
	/* Text in JSON, with key and headers beside it, is longer than it was. */
	s.in.max = 4 * RECORD_MAX;
	while ((c = getopt(argc, argv, "+fm")) != -1)
		switch (c) {
		case 'f': force = true; break;
		case 'm': marked = true; break;
		default: die_usage(usage);
		}
	if (optind < argc || (force && marked))
		die_usage(usage);
	s.settles = true;       /* the error in it is the dead letter's, not the line's */
	while (stage_next(&s))
		if (marked && !rec_get(&s.rec, "refeed"))
			stage_pass(&s);
		else
			feed();
	return stage_end(&s);
}
