#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cidr.h"
#include "mem.h"

/* What is not public in IPv4: IANA's special-purpose registry (RFC 6890 and
 * later entries), multicast and the reserved rest. */
static const struct cidr special4[] = {
	{ AF_INET, { 0 }, 8 },
	{ AF_INET, { 10 }, 8 },
	{ AF_INET, { 100, 64 }, 10 },
	{ AF_INET, { 127 }, 8 },
	{ AF_INET, { 169, 254 }, 16 },
	{ AF_INET, { 172, 16 }, 12 },
	{ AF_INET, { 192, 0, 0 }, 24 },
	{ AF_INET, { 192, 0, 2 }, 24 },
	{ AF_INET, { 192, 88, 99 }, 24 },
	{ AF_INET, { 192, 168 }, 16 },
	{ AF_INET, { 198, 18 }, 15 },
	{ AF_INET, { 198, 51, 100 }, 24 },
	{ AF_INET, { 203, 0, 113 }, 24 },
	{ AF_INET, { 224 }, 4 },
	{ AF_INET, { 240 }, 4 },
};

/* In IPv6 only 2000::/3 is public, and of it not these. */
static const struct cidr global6 = { AF_INET6, { 0x20 }, 3 };
static const struct cidr special6[] = {
	{ AF_INET6, { 0x20, 0x01 }, 23 },               /* protocol assignments, Teredo */
	{ AF_INET6, { 0x20, 0x01, 0x0d, 0xb8 }, 32 },   /* documentation */
	{ AF_INET6, { 0x20, 0x02 }, 16 },               /* 6to4: any IPv4 address inside */
	{ AF_INET6, { 0x3f, 0xff }, 20 },               /* documentation */
};
static const struct cidr mapped6 = { AF_INET6, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 };
static const struct cidr nat64 = { AF_INET6, { 0x00, 0x64, 0xff, 0x9b }, 96 };

static bool
inside(const struct cidr *c, int family, const unsigned char *a)
{
	unsigned whole = c->bits / 8, rest = c->bits % 8;

	if (c->family != family || memcmp(c->addr, a, whole) != 0)
		return false;
	return !rest || (c->addr[whole] ^ a[whole]) >> (8 - rest) == 0;
}

static bool
any(const struct cidr *c, size_t n, int family, const unsigned char *a)
{
	for (size_t i = 0; i < n; i++)
		if (inside(&c[i], family, a))
			return true;
	return false;
}

bool
cidr_allowed(const struct cidr_list *l, const struct sockaddr *sa)
{
	unsigned char a[16] = { 0 };
	int family = sa->sa_family;

	if (family == AF_INET) {
		memcpy(a, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	} else if (family == AF_INET6) {
		memcpy(a, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
		if (inside(&mapped6, AF_INET6, a) || inside(&nat64, AF_INET6, a)) {
			family = AF_INET;
			memmove(a, a + 12, 4);
		}
	} else {
		return false;
	}
	if (any(l->net, l->n, family, a))
		return true;
	if (family == AF_INET)
		return !any(special4, sizeof special4 / sizeof *special4, family, a);
	return inside(&global6, family, a) &&
	    !any(special6, sizeof special6 / sizeof *special6, family, a);
}

static int
parse_one(struct cidr *c, const char *s, size_t len)
{
	char tmp[INET6_ADDRSTRLEN + 5], *slash, *end;
	unsigned long max, bits;

	if (len >= sizeof tmp)
		return -1;
	memset(c, 0, sizeof *c);
	memcpy(tmp, s, len);
	tmp[len] = 0;
	if ((slash = strchr(tmp, '/')))
		*slash++ = 0;
	c->family = strchr(tmp, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(c->family, tmp, c->addr) != 1)
		return -1;
	max = c->family == AF_INET ? 32 : 128;
	c->bits = (unsigned)max;
	if (!slash)
		return 0;
	if (*slash < '0' || *slash > '9')
		return -1;
	bits = strtoul(slash, &end, 10);
	c->bits = (unsigned)bits;
	return *end || bits > max ? -1 : 0;
}

int
cidr_parse(struct cidr_list *l, const char *s)
{
	static const char sep[] = ", \t\n";

	for (s += strspn(s, sep); *s; s += strspn(s, sep)) {
		size_t len = strcspn(s, sep);

		l->net = mem_array(l->net, l->n + 1, sizeof *l->net);
		if (parse_one(&l->net[l->n], s, len) < 0)
			return -1;
		l->n++;
		s += len;
	}
	return 0;
}

void
cidr_free(struct cidr_list *l)
{
	free(l->net);
	l->net = NULL;
	l->n = 0;
}
