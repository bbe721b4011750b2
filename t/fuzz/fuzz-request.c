/* fuzz-request - what comes from outside through normalise and validate: what
 * is turned is a record that needs no turning again and has no name twice, and
 * all faults are text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "json.h"
#include "normal.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_faults(const struct rec *r)
{
	static const struct request_limits limits = { "/nonexistent", NULL };
	static struct buf why, at, quoted;
	static struct rec q;

	why.len = at.len = quoted.len = 0;
	if (!request_faults(r, request_kind(r), &limits, &why, &at) != !why.len || !why.len != !at.len)
		abort();
	buf_adds(&quoted, "{\"why\":");
	json_quote(&quoted, why.p, why.len);
	buf_adds(&quoted, ",\"at\":");
	json_quote(&quoted, at.p, at.len);
	buf_addc(&quoted, '}');
	if (rec_parse(&q, quoted.p, quoted.len) != REC_OK)
		abort();
}

static void
check_normal(const struct rec *r)
{
	static struct buf out, again, kafka, original;
	static struct rec turned, k;

	out.len = again.len = kafka.len = original.len = 0;
	if (!normal_request(&out, r))
		return;
	if (rec_parse(&turned, out.p, out.len) != REC_OK || rec_get(&turned, "kafka"))
		abort();
	check_faults(&turned);
	buf_add(&original, r->p, r->len);
	if (normal_kafka(&kafka, rec_get(r, "kafka"), &original) && rec_parse(&k, kafka.p, kafka.len) != REC_OK)
		abort();
	if (rec_get(&turned, "probe") || rec_get(&turned, "admit")) {
		if (!rec_get(r, "probe") && !rec_get(r, "admit"))
			abort();        /* a stage's member came up from within */
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct entry_said said = { .default_tenant = "t", .tenant = "t", .kind = "compute" };
	static struct entry entry;
	static struct rec r;
	char *text = malloc(size ? size : 1);

	memcpy(text, data, size);
	if (rec_parse(&r, text, size) == REC_OK) {
		check_faults(&r);
		check_normal(&r);
		entry_read(&entry, text, size);
		entry_columns(&entry, &said);
		if (!entry.reject && !request_job_id_ok(entry.job_id.p, entry.job_id.len))
			abort();
	}
	free(text);
	return 0;
}
