/* search - ranks what index wrote by words and meaning. See docs/search.1. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arg.h"
#include "embed/embedder.h"
#include "embed/where.h"
#include "err.h"
#include "index/rank.h"
#include "index/store.h"
#include "index/wrap.h"
#include "json.h"
#include "ndjson.h"
#include "rec.h"

static const char usage[] = "search [-Aj] [-n count] [-T tenant] [-d doc_key] [-a share] [-m folder] word ...\n"
    "\n"
    "Ranks the indexed documents by how well a passage of theirs answers the words,\n"
    "and prints document, score and passage.\n"
    "\n"
    "  -n count    so many hits (default 5)\n"
    "  -A          every passage, not only the best of each document\n"
    "  -j          one JSON object a line\n"
    "  -T tenant   whose documents ($SLUICE_TENANT, else default)\n"
    "  -d doc_key  passages of this document only\n"
    "  -a share    of meaning in the score, 0 to 1 (default 0.5); the rest is words\n"
    "  -m folder   the model ($SLUICE_MODEL, else .deps/model/" WHERE_MODEL ")\n"
    "\n"
    "The ledger is $SLUICE_DB. Exit code 1: nothing was found.\n";

enum { WAIT_MS = 2000, WIDE = 100, PASSAGE_LINES = 6 };

/* Columns of what sluice.search_show returns. */
enum { DOCUMENT, I, DOC_KEY, JOB_ID, TITLE, LANGUAGE, TYPE, CHUNKS, START, END, BODY, MARKED, PAGE, PAGE_TO, PATH, KIND };

static struct pg db = PG_INIT;
static struct out out = OUT_INIT(1);

static void
check(enum pg_status st)
{
	if (st != PG_OK)
		die(pg_exit(st), "ledger: %s", db.err);
}

static void
embed_query(struct buf *vector, size_t *dim, const char *folder, const char *words)
{
	static struct embedder e;
	struct text t = { .p = words, .len = strlen(words) };
	struct buf dir = BUF_INIT;
	struct fault f;

	where_model(&dir, folder);
	if (embedder_open(&e, buf_str(&dir), 0, &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s%s", f.text, f.temp ? "" : " (run 'make deps' to fetch the model)");
	*dim = e.dim;
	if (embedder_run(&e, &t, 1, (float *)(void *)buf_room(vector, e.dim * sizeof(float)), &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s", f.text);
	embedder_close(&e);
	buf_free(&dir);
}

static unsigned
width(void)
{
	struct winsize w;
	const char *columns = getenv("COLUMNS");
	unsigned n = 80;

	if (ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_col)
		n = w.ws_col;
	else if (columns && strtoul(columns, NULL, 10) > 0)
		n = (unsigned)(strtoul(columns, NULL, 10) < WIDE ? strtoul(columns, NULL, 10) : WIDE);
	return n < 40 ? 40 : n > WIDE ? WIDE : n;
}

static void
text_member(struct buf *b, const char *name, int row, int col)
{
	size_t len;
	const char *p = pg_bytes(&db, row, col, &len);

	if (pg_null(&db, row, col))
		return;
	buf_addf(b, ",\"%s\":", name);
	json_quote(b, p, len);
}

/* Its page, or its first and last; the path as the ledger has it, which is JSON. */
static void
place_members(struct buf *b, int row)
{
	size_t len;
	const char *p = pg_bytes(&db, row, PATH, &len);

	if (!pg_null(&db, row, PAGE))
		buf_addf(b, ",\"page\":%lld", (long long)pg_i64(&db, row, PAGE));
	if (!pg_null(&db, row, PAGE_TO))
		buf_addf(b, ",\"pages\":[%lld,%lld]", (long long)pg_i64(&db, row, PAGE), (long long)pg_i64(&db, row, PAGE_TO));
	if (!pg_null(&db, row, PATH)) {
		buf_adds(b, ",\"path\":");
		buf_add(b, p, len);
	}
	text_member(b, "kind", row, KIND);
}

static void
show_json(const struct rank_hit *h, size_t rank, int row)
{
	static struct buf b;

	b.len = 0;
	buf_addf(&b, "{\"rank\":%zu,\"score\":%.4f,\"words\":%.4f,\"cosine\":%.4f,\"document\":%lld",
	    rank, (double)h->score, (double)h->words, (double)h->cosine, (long long)h->document);
	text_member(&b, "doc_key", row, DOC_KEY);
	text_member(&b, "title", row, TITLE);
	text_member(&b, "language", row, LANGUAGE);
	text_member(&b, "content_type", row, TYPE);
	text_member(&b, "job_id", row, JOB_ID);
	buf_addf(&b, ",\"chunk\":{\"i\":%d,\"n\":%lld,\"start\":%lld,\"end\":%lld", h->i,
	    (long long)pg_i64(&db, row, CHUNKS), (long long)pg_i64(&db, row, START),
	    (long long)pg_i64(&db, row, END));
	place_members(&b, row);
	text_member(&b, "text", row, BODY);
	buf_adds(&b, "}}");
	if (out_rec(&out, b.p, b.len) < 0)
		die_sys(XTEMP, "write stdout");
}

/* The section that a passage is in, on two lines at most. */
static void
section_line(struct buf *b, int row)
{
	static struct rec path = REC_INIT;
	static struct buf line;
	size_t len;
	const char *p = pg_bytes(&db, row, PATH, &len);

	line.len = 0;
	if (pg_null(&db, row, PATH) || rec_items(&path, p, len) != REC_OK)
		return;
	for (size_t i = 0; i < path.n; i++) {
		buf_adds(&line, i ? " \342\200\272 " : "");
		rec_str(&path.m[i], &line);
	}
	wrap_text(b, buf_str(&line), line.len, 10, width() - 10, 2, false);
}

/* Lines: rank, score and title; where it is; its section; the passage. */
static void
show_text(const struct rank_hit *h, size_t rank, int row, bool bold)
{
	static struct buf b;
	const char *p;
	size_t len;

	b.len = 0;
	buf_addf(&b, "%s%2zu  %.2f  %s", rank > 1 ? "\n" : "", rank, (double)h->score, bold ? "\033[1m" : "");
	p = pg_bytes(&db, row, pg_null(&db, row, TITLE) ? DOC_KEY : TITLE, &len);
	wrap_line(&b, p, len);
	buf_addf(&b, "%s\n          ", bold ? "\033[0m" : "");
	p = pg_bytes(&db, row, DOC_KEY, &len);
	wrap_line(&b, p, len);
	if (strcmp(pg_bytes(&db, row, KIND, &len), "metadata") == 0)
		buf_adds(&b, "  metadata only");
	else
		buf_addf(&b, "  passage %d of %lld", h->i + 1, (long long)pg_i64(&db, row, CHUNKS));
	if (!pg_null(&db, row, PAGE))
		buf_addf(&b, "  page %lld", (long long)pg_i64(&db, row, PAGE));
	if (!pg_null(&db, row, PAGE_TO))
		buf_addf(&b, "-%lld", (long long)pg_i64(&db, row, PAGE_TO));
	if (!pg_null(&db, row, LANGUAGE)) {
		buf_adds(&b, "  ");
		p = pg_bytes(&db, row, LANGUAGE, &len);
		wrap_line(&b, p, len);
	}
	buf_addf(&b, "  words %.2f meaning %.2f\n", (double)h->words, (double)h->cosine);
	section_line(&b, row);
	p = pg_bytes(&db, row, MARKED, &len);
	wrap_text(&b, p, len, 10, width() - 10, PASSAGE_LINES, bold);
	if (b.p[b.len - 1] == '\n')
		b.len--;
	if (out_rec(&out, b.p, b.len) < 0)
		die_sys(XTEMP, "write stdout");
}

static void
show(const struct rank *r, const struct rank_query *q, bool json)
{
	static struct pg_args a = PG_ARGS_INIT;
	bool bold = isatty(1) && !getenv("NO_COLOR");
	int document, i, row;
	size_t k;

	pg_puts(&a, pg_scalar(&a, PG_TEXT), q->tenant);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), q->words);
	document = pg_array(&a, PG_INT8);
	i = pg_array(&a, PG_INT4);
	for (k = 0; k < r->n; k++) {
		pg_put_i64(&a, document, r->h[k].document);
		pg_put_i64(&a, i, r->h[k].i);
	}
	check(pg_call(&db, "select document, i, doc_key, job_id, title, language, content_type, chunks,"
	    " start, \"end\", body, marked, page, page_to, path, kind from sluice.search_show($1, $2, $3, $4)", &a));
	for (k = 0; k < r->n; k++)
		for (row = 0; row < pg_rows(&db); row++)
			if (pg_i64(&db, row, DOCUMENT) == r->h[k].document && pg_i64(&db, row, I) == r->h[k].i) {
				if (json)
					show_json(&r->h[k], k + 1, row);
				else
					show_text(&r->h[k], k + 1, row, bold);
			}
	pg_args_free(&a);
}

/* The question: the arguments with a space between, bytes that are no UTF-8
 * replaced, because the database takes none. */
static void
join(struct buf *words, char **argv)
{
	for (; *argv; argv++) {
		const char *p = *argv, *end = p + strlen(p);
		size_t n;

		if (words->len)
			buf_addc(words, ' ');
		for (; p < end; p += n ? n : 1) {
			n = utf8_len(p, end);
			buf_add(words, n ? p : "\357\277\275", n ? n : 3);
		}
	}
	buf_str(words);
}

static int
search(struct rank_query *q, const char *folder, size_t count, bool all, bool json)
{
	static struct buf vector;
	static struct rank r = RANK_INIT;
	const char *conninfo = arg_env("SLUICE_DB", "");

	if (!conninfo[0])
		die(XPERM, "SLUICE_DB names no ledger: see sluice up");
	check(store_open(&db, conninfo, WAIT_MS));
	embed_query(&vector, &q->dim, folder, q->words);
	q->vector = (const float *)(const void *)vector.p;
	check(rank_run(&r, &db, q));
	rank_cut(&r, count, all);
	show(&r, q, json);
	if (out_flush(&out) < 0)
		die_sys(XTEMP, "write stdout");
	if (!r.n)
		info("nothing found: tenant=%s", q->tenant);
	return r.n ? 0 : XNO;
}

int
main(int argc, char **argv)
{
	static struct buf words;
	struct rank_query q = { .tenant = arg_env("SLUICE_TENANT", "default"), .model = WHERE_MODEL, .a = 0.5 };
	const char *folder = NULL;
	size_t count = 5;
	bool all = false, json = false;
	int c;

	err_init("search");
	arg_help(argc, argv, usage);
	setlocale(LC_CTYPE, "C.UTF-8");
	while ((c = getopt(argc, argv, "+AT:a:d:jm:n:")) != -1)
		switch (c) {
		case 'A': all = true; break;
		case 'T': q.tenant = optarg; break;
		case 'a': q.a = arg_double("-a", optarg, 0, 1); break;
		case 'd': q.doc_key = optarg; break;
		case 'j': json = true; break;
		case 'm': folder = optarg; break;
		case 'n': count = arg_ulong("-n", optarg, 1, 1000); break;
		default: die_usage(usage);
		}
	if (!argv[optind])
		die_usage(usage);
	join(&words, argv + optind);
	q.words = words.p;
	return search(&q, folder, count, all, json);
}
