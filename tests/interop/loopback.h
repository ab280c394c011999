/*
 * Sockets on 127.0.0.1, on ports that the kernel chooses and a file tells.
 * Called by peer_server.c and tap.c.
 */
#ifndef INTEROP_LOOPBACK_H
#define INTEROP_LOOPBACK_H

/* A listening socket, or -1. */
int loopback_listen(unsigned *port);
/* Writes the port into the file, in one piece: who waits for it finds it whole or not at all. */
int loopback_tell_port(const char *path, unsigned port);
/* The next client, or -1 when none came for so long. */
int loopback_accept(int listener, unsigned seconds);
/* A connection, or -1. */
int loopback_connect(unsigned port);

#endif
