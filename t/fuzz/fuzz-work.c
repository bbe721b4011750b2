/* fuzz-work - any bytes as an answer of OpenAlex, Unpaywall or CORE, and as the
 * member that an earlier adapter left: what is printed is a record, is read back,
 * and is then printed the same. As the entry of a catalog and as a title it is
 * UTF-8 without controls. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "index/card.h"
#include "json.h"
#include "rec.h"
#include "text/markup.h"
#include "work_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_print(const struct work *w)
{
	static struct work again;
	static struct buf line, second;
	static struct rec r;

	line.len = second.len = 0;
	buf_adds(&line, "{\"work\":");
	work_print(&line, w);
	buf_addc(&line, '}');
	if (rec_parse(&r, line.p, line.len) != REC_OK)
		abort();
	if (work_read(&again, rec_get(&r, "work")) < 0)
		abort();
	buf_adds(&second, "{\"work\":");
	work_print(&second, &again);
	buf_addc(&second, '}');
	if (line.len != second.len || memcmp(line.p, second.p, line.len) != 0)
		abort();
}

/* Of UTF-8: whole characters, no controls but LF. */
static void
check_text(const struct buf *b, size_t most)
{
	const char *p = b->p, *end = b->p + b->len;

	if (b->len > most)
		abort();
	for (size_t n; p < end; p += n)
		if (!(n = utf8_len(p, end)) || ((unsigned char)*p < ' ' && *p != '\n'))
			abort();
}

static void
check_card(const struct rec *r)
{
	static struct card card;

	if (!card_read(&card, r))
		return;
	if (!card.title.len || !card.language.len)
		abort();
	check_text(&card.title, CARD_TITLE);
	check_text(&card.language, 35);
	check_text(&card.body, CARD_MOST);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct work w;
	static struct buf fulltext, plain;
	static struct rec r;
	char *p;

	if (!size)
		return 0;
	p = malloc(size);       /* exactly as long: overreads show */
	memcpy(p, data + 1, size - 1);
	work_reset(&w);
	buf_adds(&w.doi, "10.5555/full");
	fulltext.len = 0;
	switch (data[0] % 5) {
	case 0: work_openalex(&w, p, size - 1); break;
	case 1: work_unpaywall(&w, p, size - 1); break;
	case 2: work_core(&w, p, size - 1, &fulltext); break;
	case 3:
		if (rec_parse(&r, p, size - 1) != REC_OK)
			break;
		if (work_read(&w, rec_get(&r, "work")) < 0 && (w.doi.len || w.pdfs || w.asked.len))
			abort();
		check_card(&r);
		break;
	case 4:
		plain.len = 0;
		markup_line(&plain, p, size - 1);
	}
	work_ask(&w, "core", "found", NULL, false, 0);
	if (work_asked(&w, "core") != WORK_ASKED)
		abort();
	check_print(&w);
	free(p);
	return 0;
}
