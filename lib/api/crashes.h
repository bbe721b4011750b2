/* crashes.h - requests on which the intake died. One time it may be the ledger, or somebody who
 * kills; a request on which it dies each time while others go through is at fault. */
#ifndef CRASHES_H
#define CRASHES_H

#include <stdbool.h>
#include <stddef.h>

/* A request was admitted. */
void crashes_admitted(void);
/* The intake died on this one. True from the third time within an hour on, where others were admitted
 * between each and the next. The newest 64 are known. */
bool crashes_again(const char *tenant, const char *request, size_t len);

#endif
