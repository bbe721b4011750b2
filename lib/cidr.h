/* cidr.h - which addresses may be fetched from: every address that is
 * public, plus the networks of a list such as "127.0.0.0/8, fd00::/8".
 * An IPv4 address inside an IPv6 one (mapped, NAT64) is judged as itself.
 */
#ifndef CIDR_H
#define CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct cidr {
	int family;             /* AF_INET or AF_INET6 */
	unsigned char addr[16];
	unsigned bits;
};

struct cidr_list {
	struct cidr *net;       /* owned */
	size_t n;
};
#define CIDR_LIST_INIT { NULL, 0 }

/* Adds the networks of s, separated by commas or white space; an address
 * without a slash is one host. 0, or -1: s is not such a list. */
int cidr_parse(struct cidr_list *l, const char *s);
void cidr_free(struct cidr_list *l);

/* True when sa is a public unicast address or lies in one of l's networks. */
bool cidr_allowed(const struct cidr_list *l, const struct sockaddr *sa);

#endif
