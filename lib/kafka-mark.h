/* kafka-mark.h - how far a partition has been answered without a gap.
 *
 * Offsets are delivered in rising order but not one by one (compaction,
 * transaction markers), and answered in any order. The mark is the offset
 * that may be committed: all delivered before it has been answered.
 */
#ifndef KAFKA_MARK_H
#define KAFKA_MARK_H

#include <stddef.h>
#include <stdint.h>

struct mark {
	int64_t *ring;          /* delivered offsets; answered ones as ~offset */
	size_t cap;             /* a power of two, or 0 */
	uint64_t head, tail;    /* [head, tail) are waiting; ring index modulo cap */
	int64_t value;
};

void mark_init(struct mark *m, int64_t start);
/* A delivery. Returns its number, for mark_done. */
uint64_t mark_put(struct mark *m, int64_t offset);
/* Its answer; a second one does nothing. */
void mark_done(struct mark *m, uint64_t number);
/* Deliveries that the mark waits for, answered ones behind a gap included. */
size_t mark_pending(const struct mark *m);
void mark_release(struct mark *m);

#endif
