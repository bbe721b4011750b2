/* check.h - members against rules: types, ranges, lengths. Faults are appended
 * to a text, "member: reason" joined by "; ", all of them. Functions return a
 * status, never print, never exit (but see mem.h). Not thread-safe. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "rec.h"

#define CHECK_LOWER "abcdefghijklmnopqrstuvwxyz"
#define CHECK_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define CHECK_DIGIT "0123456789"

enum check_type {
	CHECK_STRING,   /* min to max bytes */
	CHECK_NAME,     /* the same, of the bytes in set */
	CHECK_CHOICE,   /* one of the words in set, by '|' */
	CHECK_URL,      /* http or https */
	CHECK_DOI,      /* in any of its forms, doi.h */
	CHECK_TRACE,    /* a W3C traceparent */
	CHECK_TIME,     /* RFC 3339, with its zone */
	CHECK_HEX,      /* 0x and 1 to 64 hex digits */
	CHECK_BASE64,
	CHECK_OBJECT,
	CHECK_BOOLEAN,
	CHECK_WHOLE,    /* digits alone, from min to max: 1.0 and 1e3 are none */
	CHECK_NUMBER,   /* any */
	CHECK_WHOLES,   /* an array of exactly two whole numbers, each min to max */
	CHECK_STRINGS   /* an array of min to max strings */
};

struct check_rule {
	const char *name;
	enum check_type type;
	bool required;
	uint64_t min, max;
	const char *set;
};

struct check {
	struct buf *why;        /* not owned */
	unsigned n;             /* faults */
	const char *within;     /* before each name: "" or "job_type." */
	bool nulls;             /* null counts as missing where it is not required */
	struct buf *at;         /* the first fault's member as a JSON pointer; NULL: not wanted */
};

/* Begins the next fault; the caller appends the reason. name: of one member, its path
 * with dots between, or of several with ", " between, of which the first counts as its place. */
struct buf *check_fault(struct check *c, const char *name);

/* Each member of r that a rule names, and those that are missing. rules end
 * with a name of NULL. */
void check_members(struct check *c, const struct check_rule *rules, const struct rec *r);

/* A W3C traceparent. */
bool check_trace(const char *s, size_t len);

#endif
