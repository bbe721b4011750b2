/* lexhash.h - the hash of words and ids in vocabularies: part of the files' format
 * (LEX_MAGIC), so it never changes alone. Spread over all 64 bits; no defence against
 * words that are made to collide: a slot is found by comparing the word itself. */
#ifndef LEXHASH_H
#define LEXHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
lex_hash_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

/* 0 to 8 bytes as a number, without a call and without reading past them. */
static inline uint64_t
lex_hash_tail(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t lo, hi;

	if (n < 4)
		return n ? (uint64_t)u[0] << 16 | (uint64_t)u[n / 2] << 8 | u[n - 1] : 0;
	memcpy(&lo, p, sizeof lo);
	memcpy(&hi, p + n - sizeof hi, sizeof hi);
	return lo | (uint64_t)hi << 32;
}

/* Eight bytes at a time: one multiplication for most words. */
static inline uint64_t
lex_hash(const char *p, size_t n)
{
	/* The length is kept apart from the bytes: "no" and "non" would be alike. */
	uint64_t h = 0xcbf29ce484222325u ^ n * 0x9e3779b97f4a7c15u, v;

	for (; n > sizeof v; p += sizeof v, n -= sizeof v) {
		memcpy(&v, p, sizeof v);
		h = lex_hash_mix(h ^ v);
	}
	return lex_hash_mix(h ^ lex_hash_tail(p, n));
}

#endif
