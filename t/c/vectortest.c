/* vectortest GOLDEN - the vectors against the reference's (t/golden/make-embeddings.py). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "embed/embedder.h"
#include "embed/where.h"
#include "ndjson.h"
#include "rec.h"
#include "tap.h"

enum { DIM = 384, MOST = 1000 };
#define ENOUGH 0.9999

static struct embedder e;
static struct text text[MOST];
static struct buf texts[MOST], want[MOST];
static uint64_t tokens[MOST];
static float out[MOST][DIM], again[DIM];

static size_t
load(const char *path)
{
	struct in in = IN_INIT(0, RECORD_MAX, NULL);
	struct rec r = REC_INIT;
	struct buf f32 = BUF_INIT;
	const char *line;
	size_t len, n = 0;

	if (!freopen(path, "r", stdin))
		abort();
	for (; n < MOST && in_rec(&in, &line, &len) == IN_REC; n++) {
		f32.len = 0;
		if (rec_parse(&r, line, len) != REC_OK || rec_str(rec_get(&r, "text"), &texts[n]) < 0 ||
		    rec_u64(rec_get(&r, "tokens"), &tokens[n]) < 0 || rec_str(rec_get(&r, "f32"), &f32) < 0 ||
		    b64_decode(&want[n], f32.p, f32.len) < 0 || want[n].len != DIM * sizeof(float))
			abort();
		text[n] = (struct text){ texts[n].p, texts[n].len, 0, false };
	}
	rec_free(&r);
	buf_free(&f32);
	buf_free(&in.b);
	return n;
}

static double
cosine(const float *a, const float *b)
{
	double ab = 0, aa = 0, bb = 0;

	for (int i = 0; i < DIM; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return ab / sqrt(aa * bb);
}

static double
norm(const float *a)
{
	double aa = 0;

	for (int i = 0; i < DIM; i++)
		aa += (double)a[i] * a[i];
	return sqrt(aa);
}

static void
compare(size_t n)
{
	size_t close = 0, counted = 0, unit = 0, worst = 0;
	double least = 2;

	for (size_t i = 0; i < n; i++) {
		double c = cosine(out[i], (const float *)(const void *)want[i].p);

		if (!(c >= least)) {
			least = c;
			worst = i;
		}
		if (c >= ENOUGH)
			close++;
		else
			printf("# line %zu: cosine %.9f: %.60s\n", i + 1, c, buf_str(&texts[i]));
		counted += text[i].tokens == tokens[i];
		unit += fabs(norm(out[i]) - 1) < 1e-6;
	}
	printf("# worst cosine %.12f, line %zu (%zu tokens)\n", least, worst + 1, text[worst].tokens);
	ok(n >= 200 && close == n, "%zu of %zu vectors agree at cosine >= %.4f", close, n, ENOUGH);
	ok(counted == n, "%zu of %zu texts have as many tokens", counted, n);
	ok(unit == n, "%zu of %zu vectors have norm 1", unit, n);
}

int
main(int argc, char **argv)
{
	struct buf dir = BUF_INIT;
	struct fault why;
	double least = 2;
	size_t n;

	where_model(&dir, NULL);
	if (embedder_open(&e, dir.p, 0, &why) < 0) {
		printf("1..0 # SKIP no model: %s\n", why.text);
		return 0;
	}
	n = load(argv[argc - 1]);
	if (!ok(embedder_run(&e, text, n, &out[0][0], &why) == 0, "all texts in one batch"))
		return tap_end();
	compare(n);
	for (size_t i = 0; i < n; i += 7) {
		double c = embedder_run(&e, &text[i], 1, again, &why) < 0 ? -1 : cosine(again, out[i]);

		least = c < least ? c : least;
	}
	ok(least > 1 - 1e-9, "alone or in a batch: the same vector (cosine >= %.12f)", least);
	for (size_t i = 0; i < n; i++) {
		buf_free(&texts[i]);
		buf_free(&want[i]);
	}
	embedder_close(&e);
	buf_free(&dir);
	return tap_end();
}
