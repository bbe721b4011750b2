#include "b64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

void
b64_encode(struct buf *out, const void *p, size_t len)
{
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = p;
	char *o = buf_room(out, (len + 2) / 3 * 4);
	size_t i = 0;

	for (; i + 2 < len; i += 3) {
		unsigned v = (unsigned)u[i] << 16 | (unsigned)u[i + 1] << 8 | u[i + 2];

		*o++ = digit[v >> 18];
		*o++ = digit[v >> 12 & 63];
		*o++ = digit[v >> 6 & 63];
		*o++ = digit[v & 63];
	}
	if (i < len) {
		unsigned v = (unsigned)u[i] << 16 | (i + 1 < len ? (unsigned)u[i + 1] << 8 : 0);

		*o++ = digit[v >> 18];
		*o++ = digit[v >> 12 & 63];
		*o++ = i + 1 < len ? digit[v >> 6 & 63] : '=';
		*o++ = '=';
	}
	out->len += (len + 2) / 3 * 4;
}

void
b64_quote(struct buf *out, const void *p, size_t len)
{
	buf_addc(out, '"');
	b64_encode(out, p, len);
	buf_addc(out, '"');
}

static int
value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
b64_decode(struct buf *out, const char *p, size_t len)
{
	size_t pad, old = out->len;

	if (len % 4)
		return -1;
	pad = len && p[len - 1] == '=' ? (p[len - 2] == '=' ? 2 : 1) : 0;
	buf_room(out, len / 4 * 3);
	for (size_t i = 0; i < len; i += 4) {
		size_t use = i + 4 == len ? 4 - pad : 4;
		int v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = k < use ? value(p[i + k]) : 0;

			if (d < 0) {
				out->len = old;
				return -1;
			}
			v = v << 6 | d;
		}
		if ((use == 3 && (v & 0xff)) || (use == 2 && (v & 0xffff))) {
			out->len = old;
			return -1;
		}
		out->p[out->len++] = (char)(v >> 16);
		if (use > 2)
			out->p[out->len++] = (char)(v >> 8);
		if (use > 3)
			out->p[out->len++] = (char)v;
	}
	return 0;
}

/* libcrypto does not survive a failing allocation: give it ours, which exits. */
static void *
crypto_alloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return n ? mem_alloc(n) : NULL;
}

static void *
crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return mem_realloc(p, n);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

/* Before main, because it only takes effect before libcrypto's first use,
 * which may be another library's. */
__attribute__((constructor)) static void
own_crypto_memory(void)
{
	CRYPTO_set_mem_functions(crypto_alloc, crypto_realloc, crypto_free);
}

void
sha256_raw(const void *p, size_t len, unsigned char digest[32])
{
	static _Thread_local EVP_MD_CTX *ctx;   /* kept: to look the algorithm up takes longer than to use it */
	unsigned n = 0;

	if (!ctx && (!(ctx = EVP_MD_CTX_new()) || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1))
		die(XTEMP, "sha256 failed");
	if (EVP_DigestInit_ex(ctx, NULL, NULL) != 1 || EVP_DigestUpdate(ctx, p, len) != 1 || EVP_DigestFinal_ex(ctx, digest, &n) != 1 || n != 32)
		die(XTEMP, "sha256 failed");
}

void
sha256_hex(const void *p, size_t len, char hex[SHA256_HEX])
{
	static const char digit[] = "0123456789abcdef";
	unsigned char d[32];

	sha256_raw(p, len, d);
	for (int i = 0; i < 32; i++) {
		hex[2 * i] = digit[d[i] >> 4];
		hex[2 * i + 1] = digit[d[i] & 15];
	}
	hex[64] = '\0';
}
