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
#include "index/hit.h"
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

/* The section that a passage is in, on two lines at most. */
static void
section_line(struct buf *b, int row)
{
	static struct rec path = REC_INIT;
	static struct buf line;
	size_t len;
	const char *p = pg_bytes(&db, row, HIT_PATH, &len);

	line.len = 0;
	if (pg_null(&db, row, HIT_PATH) || rec_items(&path, p, len) != REC_OK)
		return;
	for (size_t i = 0; i < path.n; i++) {
		buf_adds(&line, i ? " \342\200\272 " : "");
		rec_str(&path.m[i], &line);
	}
	wrap_text(b, buf_str(&line), line.len, 10, width() - 10, 2, false);
}

/* Lines: rank, score and title; where it is; its section; the passage. */
static void
show_text(struct buf *b, const struct rank_hit *h, size_t rank, int row, bool bold)
{
	const char *p;
	size_t len;

	buf_addf(b, "%s%2zu  %.2f  %s", rank > 1 ? "\n" : "", rank, (double)h->score, bold ? "\033[1m" : "");
	p = pg_bytes(&db, row, pg_null(&db, row, HIT_TITLE) ? HIT_DOC_KEY : HIT_TITLE, &len);
	wrap_line(b, p, len);
	buf_addf(b, "%s\n          ", bold ? "\033[0m" : "");
	p = pg_bytes(&db, row, HIT_DOC_KEY, &len);
	wrap_line(b, p, len);
	if (strcmp(pg_bytes(&db, row, HIT_KIND, &len), "metadata") == 0)
		buf_adds(b, "  metadata only");
	else
		buf_addf(b, "  passage %d of %lld", h->i + 1, (long long)pg_i64(&db, row, HIT_CHUNKS));
	if (!pg_null(&db, row, HIT_PAGE))
		buf_addf(b, "  page %lld", (long long)pg_i64(&db, row, HIT_PAGE));
	if (!pg_null(&db, row, HIT_PAGE_TO))
		buf_addf(b, "-%lld", (long long)pg_i64(&db, row, HIT_PAGE_TO));
	if (!pg_null(&db, row, HIT_LANGUAGE)) {
		buf_adds(b, "  ");
		p = pg_bytes(&db, row, HIT_LANGUAGE, &len);
		wrap_line(b, p, len);
	}
	buf_addf(b, "  words %.2f meaning %.2f\n", (double)h->words, (double)h->cosine);
	section_line(b, row);
	p = pg_bytes(&db, row, HIT_MARKED, &len);
	wrap_text(b, p, len, 10, width() - 10, PASSAGE_LINES, bold);
	if (b->p[b->len - 1] == '\n')
		b->len--;
}

static void
show(const struct rank *r, const struct rank_query *q, bool json)
{
	bool bold = isatty(1) && !getenv("NO_COLOR");
	static struct buf b;

	check(hit_rows(&db, r, q));
	for (size_t k = 0; k < r->n; k++) {
		int row = hit_row(&db, &r->h[k]);

		b.len = 0;
		if (row < 0)
			continue;
		if (json)
			hit_json(&b, &db, row, &r->h[k], k + 1);
		else
			show_text(&b, &r->h[k], k + 1, row, bold);
		if (out_rec(&out, b.p, b.len) < 0)
			die_sys(XTEMP, "write stdout");
	}
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
