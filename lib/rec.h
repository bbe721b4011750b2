/* rec.h - the record: one JSON object on one line, seen as members that lie
 * in the line's own bytes.
 *
 * Parsing checks the whole text (RFC 8259 syntax, UTF-8, escapes, surrogate
 * pairs, depth) and the top level for duplicate keys; it copies nothing.
 * Every pointer handed out is borrowed from the line, which must outlive the
 * struct rec. Members that nobody changes keep their bytes: that is what
 * rec_edit is for. Functions return a status, never print, never exit (but
 * see mem.h). Not thread-safe per object.
 */
#ifndef REC_H
#define REC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mem.h"

enum {
	REC_DEPTH = 64,         /* deepest nesting of arrays and objects */
	REC_CHANGES = 32        /* most changes in one rec_edit */
};

enum rec_status {
	REC_OK,
	REC_SYNTAX,     /* not JSON */
	REC_UTF8,       /* broken UTF-8 */
	REC_SURROGATE,  /* \uD800-\uDFFF without its other half */
	REC_TOO_DEEP,   /* nested deeper than REC_DEPTH */
	REC_DUPLICATE,  /* a key twice at the top level */
	REC_NOT_OBJECT  /* JSON, but no object (rec_parse) or array (rec_items) */
};

struct rec_member {
	const char *key;        /* raw bytes between the quotes; NULL in an array */
	size_t key_len;
	const char *val;        /* raw bytes of the value, quotes included */
	size_t val_len;
	char type;              /* '"' '{' '[' '0' (number) 't' 'f' 'n' */
	bool key_escaped;       /* the key has a backslash */
};

struct rec {
	const char *p;
	size_t len;
	struct rec_member *m;   /* owned */
	size_t n, cap;
	size_t at;              /* byte offset of the fault when not REC_OK */
};
#define REC_INIT { NULL, 0, NULL, 0, 0, 0 }

/* p[0..len): an object. White space around it is allowed, LF is not special. */
enum rec_status rec_parse(struct rec *r, const char *p, size_t len);
/* The same for an array: one member per element, without keys. */
enum rec_status rec_items(struct rec *r, const char *p, size_t len);
void rec_free(struct rec *r);

/* A code for in-band errors ("bad_json", "bad_utf8", "too_deep",
 * "duplicate_key", "not_object") and a sentence for people. */
const char *rec_code(enum rec_status st);
const char *rec_reason(enum rec_status st);

/* The member called name (compared unescaped), or NULL. Looks at each member:
 * for a few names; to look up many of them see rec_names. */
const struct rec_member *rec_find(const struct rec *r, const char *name, size_t len);
static inline const struct rec_member *
rec_get(const struct rec *r, const char *name)
{
	return rec_find(r, name, strlen(name));         /* of a literal the compiler knows it */
}
/* True when m is called name. */
bool rec_named(const struct rec_member *m, const char *name);
/* The same for a list of names that ends with NULL. */
bool rec_among(const struct rec_member *m, const char *const *names);
/* A member whose name stands before it in r too, or NULL. */
const struct rec_member *rec_duplicate(const struct rec *r);

/* A record's names in order, because a record may have a million of them. */
struct rec_names {
	const struct rec_member **m;    /* owned; what they point to is r's */
	size_t n, cap;
};
#define REC_NAMES_INIT { NULL, 0, 0 }
void rec_names(struct rec_names *x, const struct rec *r);
/* True when one of them is m's name. */
bool rec_names_have(const struct rec_names *x, const struct rec_member *m);
void rec_names_free(struct rec_names *x);

/* Value of a string member, unescaped, appended to out. 0, or -1 when m is
 * NULL or no string. The bytes may contain NUL (\u0000 is legal). */
int rec_str(const struct rec_member *m, struct buf *out);
/* True when m is a string equal to s. */
bool rec_is(const struct rec_member *m, const char *s);
/* A non-negative integer without fraction or exponent. 0, or -1. */
int rec_u64(const struct rec_member *m, uint64_t *v);
/* true or false. 0, or -1. */
int rec_bool(const struct rec_member *m, bool *v);

struct rec_change {
	const char *name;       /* an unescaped member name */
	const char *val;        /* JSON text; NULL deletes the member */
	size_t len;
};

/* Appends to out the record with the n changes made: a member that exists is
 * replaced in its place, a new one is put just before the closing brace.
 * Every other byte stays. Adding a member and deleting it again is the
 * identity. out must not hold the record's own bytes. */
void rec_edit(struct buf *out, const struct rec *r, const struct rec_change *c, size_t n);

#endif
