/* address.h - a numeric address and a port, as programs that listen take them. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

/* "127.0.0.1:9464" or "[::1]:9464"; NULL: it is none. The caller's freeaddrinfo. */
struct addrinfo *address_read(const char *text);
/* The address is one of this machine's own loopback. */
bool address_loopback(const struct sockaddr *a);

#endif
