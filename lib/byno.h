/* byno.h - jobs by their number. Owns its buckets, not the jobs, which are
 * chained by their member next. */
#ifndef BYNO_H
#define BYNO_H

#include <stddef.h>
#include <stdint.h>

struct dispatch_job;

struct byno {
	struct dispatch_job **bucket;
	size_t buckets, n;
};

/* Where a job of this number is, or would be put: *place is NULL then. NULL
 * where there is no bucket yet: see byno_room. */
struct dispatch_job **byno_find(const struct byno *b, int64_t no);
/* Room for one more; places found before are void. */
void byno_room(struct byno *b);
void byno_put(struct byno *b, struct dispatch_job **place, struct dispatch_job *j);
/* Takes out and returns the job of a place. */
struct dispatch_job *byno_cut(struct byno *b, struct dispatch_job **place);

#endif
