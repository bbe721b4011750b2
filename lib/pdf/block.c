#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pdf/para.h"

enum { PITCHES = 256 };

static int
by_value(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The line was full: the next one's first word did not fit in any more. */
static bool
full(const struct para_block *b, const struct pdf_line *l, const struct pdf_line *next)
{
	return l->x1 + next->first_w + l->h * 0.25f > b->edge - l->h * 0.5f;
}

/* Where the lines of the block could have ended: at its own right edge if most of them
 * do so, else at that of the column, as far as the lines nearby show it. */
static float
edge(const struct para_block *b, const struct pdf_line *const *l, size_t n, const struct pdf_line *near, size_t nnear)
{
	float most = b->right, second = b->right;
	size_t same = 0;

	for (size_t i = 0; i + 1 < n; i++)
		same += l[i]->x1 > b->right - b->h * 0.6f;
	for (size_t i = 0; i < nnear; i++) {
		if (near[i].role != PDF_BODY || fabsf(near[i].x0 - b->left) > b->h * 8)
			continue;
		if (near[i].x1 > most) {
			second = most;
			most = near[i].x1;
		} else {
			second = fmaxf(second, near[i].x1);
		}
	}
	if (n > 2 ? same * 10 >= (n - 1) * 6 : n == 2 && same && b->right > second - b->h * 4)
		return b->right;
	return second;
}

static bool
lower(const struct pdf_doc *d, const struct pdf_line *l)
{
	char c = pdf_text(d, l)[0];

	return c >= 'a' && c <= 'z';
}

/* Letters with accents are more than one byte: good enough for where a sentence ends. */
static bool
ends_sentence(const struct pdf_doc *d, const struct pdf_line *l)
{
	const char *p = pdf_text(d, l);
	size_t n = l->len;

	if (n > 3 && memcmp(p + n - 3, "\xE2\x80\x9D", 3) == 0)
		n -= 3;
	while (n && strchr(")\"']", p[n - 1]))
		n--;
	return n && strchr(".:!?", p[n - 1]);
}

static void
shape(struct para_block *b, const struct pdf_line *const *l, size_t n)
{
	size_t wrapped = 0, at_left = 0, indented = 0, middle = 0;
	float mid = (b->left + b->right) / 2, x0 = 0;

	for (size_t i = 0; i < n; i++) {
		wrapped += i + 1 < n && full(b, l[i], l[i + 1]);
		middle += fabsf((l[i]->x0 + l[i]->x1) / 2 - mid) < b->h * 0.8f;
		x0 = fmaxf(x0, l[i]->x0 - b->left);
		if (i == 0)
			continue;
		at_left += l[i]->x0 < b->left + b->h * 0.4f;
		indented += l[i]->x0 > b->left + b->h * 0.7f;
	}
	b->centred = n > 1 && middle == n && x0 > b->h * 1.5f;
	b->verbatim = n > 1 && !b->centred && wrapped * 2 < n - 1 + (n == 2);
	b->hanging = n > 2 && l[0]->x0 < b->left + b->h * 0.4f && indented > at_left;
}

void
para_block(struct para_block *b, const struct pdf_doc *d, const struct pdf_line *const *l, size_t n,
    const struct pdf_line *near, size_t nnear)
{
	float pitch[PITCHES] = { 0 }, h[PITCHES] = { 0 };
	size_t m = 0, k = 0;

	memset(b, 0, sizeof *b);
	b->left = INFINITY;
	b->lines = n;
	for (size_t i = 0; i < n; i++) {
		b->left = fminf(b->left, l[i]->x0);
		b->right = fmaxf(b->right, l[i]->x1);
		b->markers += pdf_marker(pdf_text(d, l[i]), l[i]->len) != 0;
		if (k < PITCHES)
			h[k++] = l[i]->h;
		if (i && m < PITCHES && !pdf_same_row(l[i], l[i - 1]))
			pitch[m++] = l[i]->base - l[i - 1]->base;
	}
	qsort(h, k, sizeof *h, by_value);
	b->h = h[k / 2];
	if (m) {
		qsort(pitch, m, sizeof *pitch, by_value);
		b->pitch = pitch[m / 2];
	}
	b->edge = edge(b, l, n, near, nnear);
	shape(b, l, n);
}

/* By the height that the font says and by the width that its characters have. */
bool
para_resized(const struct pdf_line *a, const struct pdf_line *b)
{
	if (a->h > b->h) {
		const struct pdf_line *c = a;

		a = b;
		b = c;
	}
	return a->len > 2 && b->len > 2 && b->h > a->h * 1.12f && b->char_w > a->char_w * 1.05f;
}

/* What follows a line under its marker, or under the number of a heading, is indented. */
static bool
hangs(const struct pdf_doc *d, const struct pdf_line *l)
{
	const char *p = pdf_text(d, l);
	size_t i = 0;

	if (pdf_marker(p, l->len))
		return true;
	while (i < l->len && ((p[i] >= '0' && p[i] <= '9') || p[i] == '.'))
		i++;
	return i && i < l->len && p[i] == ' ' && l->h > d->body * 1.1f;
}

bool
para_breaks(const struct para_block *b, const struct pdf_doc *d, const struct pdf_line *prev,
    const struct pdf_line *cur)
{
	float pitch = cur->base - prev->base;

	if (pdf_same_row(prev, cur))
		return false;
	if (para_resized(prev, cur) || pitch > b->pitch * 1.4f || pitch < 0)
		return true;
	if (pdf_marker(pdf_text(d, cur), cur->len) &&
	    (b->verbatim ? b->markers * 2 > b->lines : b->markers > 1 || ends_sentence(d, prev)))
		return true;
	if (b->verbatim || (hangs(d, prev) && cur->x0 > prev->x0 + b->h * 0.4f))
		return false;
	if (b->centred)
		return false;
	if (b->hanging)
		return cur->x0 < b->left + b->h * 0.4f;
	if (cur->x0 > b->left + b->h * 0.7f && prev->x0 < b->left + b->h * 0.4f)
		return true;
	return !full(b, prev, cur) && ends_sentence(d, prev);
}

bool
para_ends(const struct para_block *was, const struct para_block *b, const struct pdf_doc *d,
    const struct pdf_line *prev, const struct pdf_line *cur)
{
	float gap = cur->base - cur->h - prev->base, right = fmaxf(was->right, b->right);
	bool marker = pdf_marker(pdf_text(d, prev), prev->len) == prev->len;

	/* A marker or a number that stands a little apart from its text. */
	if (pdf_same_row(prev, cur) && cur->x0 > prev->x1 - prev->h)
		return cur->x0 - prev->x1 > prev->h * (marker || prev->len < 8 ? 3.5f : 1.2f);
	if (marker && fabsf(cur->base - prev->base) < prev->h * 0.6f)
		return false;
	if (para_resized(prev, cur) || gap > cur->h * 0.8f || gap < cur->h * -0.4f)
		return true;
	if (was->verbatim || b->verbatim || was->centred || b->centred)
		return true;
	/* The same paragraph, where something high or low has set its lines apart. */
	return prev->x1 < right - b->h * 3 || ends_sentence(d, prev) || !lower(d, cur) ||
	    fabsf(cur->x0 - was->left) > b->h;
}
