/*
 * A session key out of a master key: CryptDeriveKey on a master hash.
 *
 * |change| is what the derivation says differently from the parameters set on the master.  The keys
 * are new objects with one reference, not exportable.  NULL or 0 with a reason raised.
 * Called by keymgmt/generate, kdf/ and keyexch/; the formulas are key/session_keys.
 */
#ifndef SCHANNEL_KEY_DERIVED_KEY_H
#define SCHANNEL_KEY_DERIVED_KEY_H

#include "key/key.h"
#include "protocol/key_block.h"

/* The key of |usage|, which is not KEY_USAGE_NONE, of a master whose secret is converted; |kept|
 * (NULL: none) keeps the last of its key blocks. */
struct key *derived_key_new(struct provctx *provctx, const struct master_value *master,
                            enum key_usage usage, const struct derivation *change,
                            struct key_block *kept);

/*
 * A master of zeros in the place of |master|, to ask whether a derivation would succeed before
 * something that cannot be undone: a premaster secret that becomes the master secret, a transfer
 * that is claimed.  Borrows from |master|; nothing to clear.
 */
void derived_key_trial_master(struct master_value *trial, const struct master_value *master);

/*
 * The premaster secret becomes the master secret in the key object, once, with the randoms of this
 * derivation; everybody copies the converted master afterwards.  Claims the key of a transfer; with
 * NULL for |change|, and for any key, nothing else.
 */
int derived_key_convert(struct key *key, const struct derivation *change);

/* All of it: a key out of the live |master|, which is left as it was when that cannot be. */
struct key *derived_key_from(struct key *master, enum key_usage usage,
                             const struct derivation *change);

#endif
