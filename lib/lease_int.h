/* lease_int.h - what the parts of the lease share. Internal: use lease.h. */
#ifndef LEASE_INT_H
#define LEASE_INT_H

#include "lease.h"

/* Up to where all our jobs have ended, per priority. */
void lease_low(const struct lease *l, int64_t out[DISPATCH_PRIOS]);

/* lease_look.c: one look at what is new. */
enum pg_status lease_look(struct lease *l, int64_t now);

#endif
