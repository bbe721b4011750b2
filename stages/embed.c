/* embed - add to each chunk its sentence vector. See docs/embed.1. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "embed/embedder.h"
#include "embed/where.h"
#include "err.h"
#include "stage.h"

static const char usage[] =
    "embed [-b chunks] [-m folder] [-t threads]\n\n"
    "Reads records; adds \"embedding\" to those that have \"chunk\", from its text:\n"
    "384 float32 values of norm 1, base64 of little-endian bytes. All other\n"
    "records pass.\n\n"
    "  -b chunks   embed at most so many at once (32); fewer when no more are there\n"
    "  -m folder   the model ($SLUICE_MODEL, else .deps/model/" WHERE_MODEL ")\n"
    "  -t threads  use so many (OMP_NUM_THREADS, else all cores)\n";

#define VERSION "embed/1"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "vectors are sent as they lie in memory");

enum { HELD_MAX = 32 << 20 };   /* bytes of lines held for one batch */

/* A line that waits for its batch: copied, because stage_next's is borrowed. */
struct held {
	size_t at, len;         /* in batch.lines */
	size_t text, text_len;  /* in batch.texts */
	const char *wrong;      /* why its chunk cannot be embedded */
	bool want;              /* a vector */
};

struct batch {
	struct embedder e;
	size_t most;            /* vectors */
	size_t wants;
	struct held *h;
	size_t n, cap;
	struct buf lines, texts, value;
	struct text *t;         /* (most) */
	float *v;               /* (most, dim) */
	uint64_t embedded, kept, cut;
};

static bool
all_finite(const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return false;
	return true;
}

/* The record's embedding is this program's own, of this model. */
static bool
is_valid(struct batch *b, const struct rec_member *m)
{
	struct rec r = REC_INIT;
	struct buf f32 = BUF_INIT, raw = BUF_INIT;
	uint64_t dim;
	bool ok = m && m->type == '{' && rec_parse(&r, m->val, m->val_len) == REC_OK &&
	    rec_is(rec_get(&r, "model"), WHERE_MODEL) && rec_is(rec_get(&r, "stage"), VERSION) &&
	    rec_u64(rec_get(&r, "dim"), &dim) == 0 && dim == b->e.dim &&
	    rec_str(rec_get(&r, "f32"), &f32) == 0 && b64_decode(&raw, f32.p, f32.len) == 0 &&
	    raw.len == b->e.dim * sizeof(float) && all_finite((const float *)(const void *)raw.p, b->e.dim);

	rec_free(&r);
	buf_free(&f32);
	buf_free(&raw);
	return ok;
}

/* Appends the chunk's text to b->texts. NULL, or what is wrong with it. */
static const char *
chunk_text(struct batch *b, const struct rec_member *chunk)
{
	struct rec r = REC_INIT;
	const char *wrong = NULL;

	if (chunk->type != '{' || rec_parse(&r, chunk->val, chunk->val_len) != REC_OK)
		wrong = "chunk is no object";
	else if (rec_str(rec_get(&r, "text"), &b->texts) < 0)
		wrong = "chunk.text is no string";
	rec_free(&r);
	return wrong;
}

static void
hold(struct batch *b, const struct rec *r)
{
	const struct rec_member *chunk = rec_get(r, "chunk");
	struct held *h;

	buf_room(&b->texts, 1);         /* so that a text of nothing lies somewhere */
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->h = mem_array(b->h, b->cap, sizeof(*b->h));
	}
	h = &b->h[b->n++];
	*h = (struct held){ .at = b->lines.len, .len = r->len, .text = b->texts.len };
	buf_add(&b->lines, r->p, r->len);
	if (!chunk || rec_get(r, "error") || rec_get(r, "wait"))
		return;
	if (is_valid(b, rec_get(r, "embedding"))) {
		b->kept++;
		return;
	}
	h->wrong = chunk_text(b, chunk);
	h->text_len = b->texts.len - h->text;
	h->want = !h->wrong;
	b->wants += h->want;
}

/* Returns how long each took, in microseconds. */
static uint64_t
compute(struct batch *b, struct stage *s)
{
	uint64_t from = stage_clock(s);
	struct fault f;
	size_t n = 0;

	if (!b->wants)
		return 0;
	stage_flush(s);         /* what is answered need not wait for what takes long */

	for (size_t i = 0; i < b->n; i++)
		if (b->h[i].want)
			b->t[n++] = (struct text){ b->texts.p + b->h[i].text, b->h[i].text_len, 0, false };
	if (embedder_run(&b->e, b->t, n, b->v, &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s", f.text);
	return (stage_clock(s) - from) / n;
}

/* A long document takes minutes: say where it is. */
static void
say_progress(struct stage *s)
{
	const struct rec_member *chunk = rec_get(&s->rec, "chunk");
	struct rec r = REC_INIT;
	uint64_t i, n;

	if (chunk && rec_parse(&r, chunk->val, chunk->val_len) == REC_OK &&
	    rec_u64(rec_get(&r, "i"), &i) == 0 && rec_u64(rec_get(&r, "n"), &n) == 0)
		stage_progress(s, "chunk %" PRIu64 " of %" PRIu64, i + 1, n);
	rec_free(&r);
}

static void
give_vector(struct batch *b, struct stage *s, size_t i)
{
	const float *v = b->v + i * b->e.dim;
	struct rec_change add = { .name = "embedding" };

	if (!all_finite(v, b->e.dim)) {
		stage_error(s, "not_finite", false, "the model gives a vector with NaN or infinity");
		return;
	}
	b->value.len = 0;
	buf_addf(&b->value, "{\"model\":\"" WHERE_MODEL "\",\"dim\":%zu,\"f32\":\"", b->e.dim);
	b64_encode(&b->value, v, b->e.dim * sizeof(*v));
	buf_adds(&b->value, "\",\"stage\":\"" VERSION "\"}");
	add.val = b->value.p;
	add.len = b->value.len;
	stage_edit(s, &add, 1);
	b->embedded++;
	b->cut += b->t[i].cut;
}

/* Answers every line held, in the order in which they came. */
static void
release(struct batch *b, struct stage *s)
{
	size_t vector = 0;
	uint64_t us = compute(b, s);

	for (size_t i = 0; i < b->n; i++) {
		const struct held *h = &b->h[i];

		/* It parsed when it was read; the stage's current record becomes this one. */
		if (rec_parse(&s->rec, b->lines.p + h->at, h->len) != REC_OK)
			die(XBUG, "a held record no longer parses");
		if (h->want) {
			stage_took(s, us);
			if (stage_progress_due(s))
				say_progress(s);
			give_vector(b, s, vector++);
		} else if (h->wrong)
			stage_error(s, "bad_chunk", false, "%s", h->wrong);
		else
			stage_pass(s);
	}
	b->n = b->wants = b->lines.len = b->texts.len = 0;
}

static void
open_model(struct batch *b, const char *opt, unsigned threads)
{
	struct buf dir = BUF_INIT;
	struct fault f;

	where_model(&dir, opt);
	if (access(dir.p, F_OK) != 0)
		die_sys(XPERM, "no model: %s (run 'make deps', or name its folder with -m or SLUICE_MODEL)", dir.p);
	if (embedder_open(&b->e, dir.p, threads, &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s%s", f.text, f.temp ? "" : " (run 'make deps' to fetch the model)");
	buf_free(&dir);
	b->t = mem_array(NULL, b->most, sizeof(*b->t));
	b->v = mem_array(NULL, b->most, b->e.dim * sizeof(*b->v));
}

/* OpenMP's threads spin while they wait for each other, which on a busy machine
 * takes the core from the one that is waited for. Its runtime reads the
 * environment before main, so this program begins again with another one. */
static void
wait_passively(char **argv)
{
	if (getenv("OMP_WAIT_POLICY") || setenv("OMP_WAIT_POLICY", "passive", 0) < 0)
		return;
	execv("/proc/self/exe", argv);
	warn_sys("begin again: /proc/self/exe");
}

int
main(int argc, char **argv)
{
	static struct stage s = STAGE_INIT;
	static struct batch b = { .most = 32 };
	const char *dir = NULL;
	unsigned threads = 0;
	int c, got;

	err_init("embed");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+b:m:t:")) != -1)
		switch (c) {
		case 'b': b.most = arg_ulong("-b", optarg, 1, 1023); break;
		case 'm': dir = optarg; break;
		case 't': threads = (unsigned)arg_ulong("-t", optarg, 1, 1023); break;
		default: die_usage(usage);
		}
	if (optind != argc)
		die_usage(usage);
	wait_passively(argv);
	open_model(&b, dir, threads);

	/* Lines with error or wait are held too: they keep their place. */
	s.settles = s.hint.by_hand = true;
	while ((got = b.wants ? stage_try(&s) : stage_next(&s))) {
		if (got > 0)
			hold(&b, &s.rec);
		if (got < 0 || !b.wants || b.wants == b.most || b.lines.len >= HELD_MAX)
			release(&b, &s);
	}
	release(&b, &s);
	info("vectors: embedded=%" PRIu64 " kept=%" PRIu64 " cut=%" PRIu64, b.embedded, b.kept, b.cut);
	return stage_end(&s);
}
