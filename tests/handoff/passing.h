/*
 * Handing a connection to another process: four sealed keys and the client's socket, over a Unix
 * socket.  Sent by handshake.c and application.c, received by application.c.
 *
 * One message, integers in network order:
 *
 *     struct {
 *         uint32 magic;              -- "tls>"
 *         uint32 length;             -- of all that follows
 *         uint32 requests;           -- answered on this connection so far
 *         opaque key_blob<1..512>[4];   -- order of enum session_key_id; each vector has a
 *                                       -- length of two bytes
 *         opaque pending<0..32768>;  -- decrypted, not yet looked at
 *     } Handover;
 *
 * The socket comes with its first byte (SCM_RIGHTS).  What the client has sent and nobody has read
 * stays in the socket; records are always read whole, so that nothing else has to travel.
 */
#ifndef HANDOFF_PASSING_H
#define HANDOFF_PASSING_H

#include <stddef.h>
#include <stdint.h>
#include "keys.h"

#define PASSING_MAX_PENDING 32768

struct handover {
    int socket; /* the client's; -1 when there is none */
    uint32_t requests;
    struct key_blobs keys;
    size_t pending_size;
    uint8_t pending[PASSING_MAX_PENDING];
};

/* A listening Unix socket that only this user and root can reach, or -1 with errno. */
int passing_listen(const char *path);
/* Waits for a sender.  A connected socket, -1 when nobody came in |seconds| or on an error. */
int passing_accept(int listener, unsigned seconds);
/* A connected socket, or -1 with errno. */
int passing_connect(const char *path);

/* 1, or 0 with nothing said: the connection is then lost. */
int passing_send(int channel, const struct handover *handover);
/* 1, or 0 when no whole and well-formed message came.  The socket is the caller's to close. */
int passing_receive(int channel, struct handover *handover);

#endif
