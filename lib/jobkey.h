/* jobkey.h - the keys of jobs and documents as the ledger makes them (key16 in
 * lib/ledger/0001-ledger.sql): the first 16 bytes of the sha256 of two texts with a byte 1
 * between. No printing; exits without memory (mem.h) or sha256 (b64.h). One thread. */
#ifndef JOBKEY_H
#define JOBKEY_H

#include <stddef.h>

/* Of a and b. A NUL in b counts as U+FFFD, which pg_put makes of it. The first 16 bytes are the key. */
void jobkey(unsigned char key[32], const char *a, size_t a_len, const char *b, size_t b_len);

/* A key as PostgreSQL prints a uuid, without a NUL; its length, 36. */
size_t jobkey_text(char text[36], const unsigned char key[16]);

#endif
