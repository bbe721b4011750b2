/* arg.h - option arguments, checked whole and in range. Each function exits
 * 100 with a message that names the option when the argument is wrong. */
#ifndef ARG_H
#define ARG_H

#include <stddef.h>

/* Decimal digits only, lo <= value <= hi; may end in k, M or G (powers of
 * 1024) where hi >= 1024. */
unsigned long arg_ulong(const char *opt, const char *s, unsigned long lo, unsigned long hi);
/* A decimal number such as 12.5, lo <= value <= hi. */
double arg_double(const char *opt, const char *s, double lo, double hi);
/* n of them in one argument, spaces between. */
void arg_doubles(const char *opt, const char *s, double *v, int n, double lo, double hi);

/* The number of a descriptor, 3 or more, that is open; children don't get it. */
int arg_fd(const char *opt, const char *s);

/* When argv[1] is --help or -h: prints usage (its first line after
 * "usage: ") on stdout and exits 0. Call it before getopt. */
void arg_help(int argc, char **argv, const char *usage);

/* getenv, with a default for unset or empty. */
const char *arg_env(const char *name, const char *fallback);

#endif
