/* beneath.h - opening files that others name, under allowed folders only.
 *
 * The kernel resolves the name beneath the folder (openat2), so no "..",
 * symbolic link or magic link leads out of it, whatever changes meanwhile.
 * Only regular files are handed out, and opening never blocks.
 */
#ifndef BENEATH_H
#define BENEATH_H

#include <stddef.h>

/* roots: folders separated by ':'. path: absolute and in one of them by its
 * letters, or relative, then tried in each. Returns a close-on-exec descriptor
 * for reading, or -1 with errno: EXDEV it is in no root or leads out of it,
 * EINVAL the name is empty, over-long or has a NUL, ENOENT no such file,
 * EISDIR no regular file, others as from open(2). */
int beneath_open(const char *roots, const char *path, size_t len);

#endif
