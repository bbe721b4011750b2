/* fuzz-kafka-post - a line as a message: whatever is accepted has a topic that
 * Kafka takes, ends its strings and points into its own bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kafka-post.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kafka_post p;
	char *line = malloc(size + 1);
	int r;

	memcpy(line, data, size);
	if (rec_parse(&p.rec, line, size) != REC_OK) {
		free(line);
		return 0;
	}
	r = kafka_post(&p, &p.rec);
	must(r == 0 || p.why[0]);
	if (r == 0) {
		must(p.msg.topic[0] && strlen(p.msg.topic) <= 249 && !strchr(p.msg.topic, '/'));
		must(!p.msg.key || p.msg.key[p.msg.key_len] == '\0');
		for (size_t i = 0; i < p.msg.n_headers; i++) {
			must(p.msg.headers[i].name != NULL);
			must(!p.msg.headers[i].val || p.msg.headers[i].val[p.msg.headers[i].len] == '\0');
		}
	}
	must(!p.outbox || (p.ledger[0] && p.stream[0]));
	free(line);
	return 0;
}
