/* kafka-admin.h - making topics. */
#ifndef KAFKA_ADMIN_H
#define KAFKA_ADMIN_H

#include <stddef.h>

struct kafka_admin;

/* 0, or with the reason in err -1: a wrong setting, exit 100; -2: not now, exit 111. */
int kafka_admin_open(struct kafka_admin **a, char *err, size_t size);

enum kafka_made { KAFKA_MADE, KAFKA_WAS_THERE, KAFKA_NO_ANSWER, KAFKA_NOT_MADE };

/* One topic with its settings ("NAME=VALUE" each). replicas -1: the broker's
 * default. KAFKA_NO_ANSWER is worth another try. err: the reason for the last two. */
enum kafka_made kafka_topic(struct kafka_admin *a, const char *name, int partitions, int replicas,
    char *const *settings, size_t n, int wait_ms, char *err, size_t size);

void kafka_admin_close(struct kafka_admin *a);

#endif
