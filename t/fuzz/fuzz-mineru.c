/* fuzz-mineru - any bytes as what a server answers: what is taken of them has a form that
 * goes into a URL or a record, and a list that is taken is the same once it is tight. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mineru_read.h"
#include "pdf/check.h"
#include "rec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
task(const char *p, size_t len)
{
	struct mineru_task t;

	if (mineru_read_task(&t, p, len) < 0)
		return;
	if (!t.id[0] || t.state > MINERU_FAILED)
		abort();
	for (const char *c = t.id; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			abort();
}

static void
result(const char *p, size_t len)
{
	static struct check c = CHECK_INIT;
	static struct rec list = REC_INIT;
	static struct buf blocks, engine;
	size_t n;

	blocks.len = engine.len = 0;
	if (mineru_read_result(&blocks, &engine, p, len)) {
		if (blocks.len || engine.len)
			abort();
		return;
	}
	if (rec_items(&list, blocks.p, blocks.len) != REC_OK || memchr(blocks.p, '\n', blocks.len) ||
	    memchr(engine.p, '"', engine.len) || memchr(engine.p, 0, engine.len))
		abort();
	c.pages = 7;
	n = list.n;
	if (check_blocks(&c, blocks.p, blocks.len, 1) == 0 && c.blocks > n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf said;
	const char *p = (const char *)data;
	struct mineru_health h;

	said.len = 0;
	if (mineru_read_health(&h, p, size) == 0 && (!h.room || h.busy > 2u << 20))
		abort();
	mineru_read_error(&said, p, size, 200);
	if (said.len > 200)
		abort();
	task(p, size);
	result(p, size);
	return 0;
}
