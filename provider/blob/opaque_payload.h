/*
 * What an opaque blob seals: the identifier, the secret and the running state of a key.
 * Called by blob/opaque only, which puts the header before it and the seal around it.
 */
#ifndef SCHANNEL_BLOB_OPAQUE_PAYLOAD_H
#define SCHANNEL_BLOB_OPAQUE_PAYLOAD_H

#include "blob/cursor.h"
#include "key/key.h"

/* The key's lock is held.  With a counting writer this tells the size. */
void opaque_payload_write(struct writer *writer, const struct key *key);

/* Reads |payload| into |key|, whose algorithm, protocol and usage are set.  0 when it does not
 * parse or memory is out; the caller resets the key then. */
int opaque_payload_read(struct key *key, struct octets payload);

#endif
