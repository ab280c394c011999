/*
 * Reading and writing whole pieces on blocking sockets that have timeouts.
 * Called by connection.c, passing.c and tls_server.c.
 */
#ifndef HANDOFF_SOCKET_IO_H
#define HANDOFF_SOCKET_IO_H

#include <stddef.h>

enum socket_result {
    SOCKET_DONE,    /* every byte went through */
    SOCKET_CLOSED,  /* the peer closed before the first byte */
    SOCKET_TIMEOUT, /* nothing moved for the time that socket_set_timeout gave */
    SOCKET_FAILED   /* anything else, such as an end in the middle */
};

/* Bounds each single wait of the functions below.  1, or 0 with errno. */
int socket_set_timeout(int socket, unsigned seconds);

/* Exactly |size| bytes. */
enum socket_result socket_read(int socket, void *data, size_t size);
enum socket_result socket_write(int socket, const void *data, size_t size);

#endif
