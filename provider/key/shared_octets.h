/*
 * Bytes that never change, shared by reference: certificates and clear keys, which are public, long,
 * and copied with every master and context.  Called by key/derivation.
 */
#ifndef SCHANNEL_KEY_SHARED_OCTETS_H
#define SCHANNEL_KEY_SHARED_OCTETS_H

#include "primitive/octets.h"

struct shared_octets;

/* A copy with one reference; NULL when memory is out. */
struct shared_octets *shared_octets_new(struct octets value);
/* NULL is allowed for all of these, and means no bytes. */
struct shared_octets *shared_octets_up_ref(struct shared_octets *shared);
void shared_octets_free(struct shared_octets *shared);
struct octets shared_octets_view(const struct shared_octets *shared);

#endif
