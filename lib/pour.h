/* pour.h - stdin and stdout for a program that may not wait for them.
 *
 * A pipe is opened anew, so that it does not block for us and nobody else; where
 * that cannot be done, and with anything else, reads and writes wait. Functions return a
 * status with errno, never print, never exit.
 */
#ifndef POUR_H
#define POUR_H

#include "mem.h"

struct pour {
	int fd;
	struct buf b;           /* what is to be written; add to it; empty once all is */
	size_t at;              /* so much of it is written already */
};

/* The pipe fd again without waiting (fd is then closed), or fd itself. mode: O_RDONLY
 * or O_WRONLY. */
int pour_reopen(int fd, int mode);

void pour_open(struct pour *p, int fd);
/* Writes what goes without waiting. 0, or -1. */
int pour_some(struct pour *p);
/* Writes all, waiting. 0, or -1. */
int pour_all(struct pour *p);

#endif
