/* counts.h - what jobs-api counts of itself, for metrics(1). */
#ifndef COUNTS_H
#define COUNTS_H

#include <stdint.h>

void counts_start(void);
/* A request ended: status 0, it was not answered; us -1: its time says nothing (a stream). */
void counts_request(unsigned status, int64_t us);
void counts_event(void);
/* Each second: how many connections and streams there are. */
void counts_second(void);

#endif
