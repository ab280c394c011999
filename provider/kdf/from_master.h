/*
 * Derivations from a live master key, whose secret stays in the provider: of a KDF context that was
 * given an EVP_SKEY, and of the key exchange.
 *
 * Raw output is what a handshake shows.  Of a master that is not exportable, whatever gives the
 * keys of its connection away is refused.  Called by kdf/kdf and keyexch/.
 */
#ifndef SCHANNEL_KDF_FROM_MASTER_H
#define SCHANNEL_KDF_FROM_MASTER_H

#include "kdf/kdf.h"
#include "key/key.h"

/*
 * |size| bytes of the usage and parameters of |kdf|, from |master| and what is set on it.  1, or 0
 * with a reason raised and the master as it was.
 */
int kdf_from_master(const struct kdf *kdf, struct key *master, uint8_t *out, size_t size);

/* What is set on the master, which is locked, counts where |kdf| says nothing else. */
void kdf_take_parameters(struct kdf *kdf, const struct master_value *master);

#endif
