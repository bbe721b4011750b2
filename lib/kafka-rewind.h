/* kafka-rewind.h - setting where a consumer group goes on. */
#ifndef KAFKA_REWIND_H
#define KAFKA_REWIND_H

#include <stddef.h>
#include <stdint.h>

struct kafka_rewind;

/* 0, or with the reason in err -1: a wrong setting, exit 100; -2: not now, exit 111. */
int kafka_rewind_open(struct kafka_rewind **r, const char *group, char *err, size_t size);
/* The number of partitions; 0: there is no such topic; -1: no answer. */
int kafka_rewind_partitions(struct kafka_rewind *r, const char *topic);
/* Adds one place to go on at. 0; 1: the topic begins later, *offset is raised to
 * its first record; -1 with the reason: nobody answers. */
int kafka_rewind_add(struct kafka_rewind *r, const char *topic, int32_t partition, int64_t *offset,
    char *err, size_t size);
/* Commits all that was added. 0; 1 with the reason: the group has members, or
 * nobody answers, worth another try; -1 with the reason. */
int kafka_rewind_commit(struct kafka_rewind *r, int wait_ms, char *err, size_t size);
void kafka_rewind_close(struct kafka_rewind *r);

#endif
