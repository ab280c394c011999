/*
 * A KDF's or key exchange's output as a key object: EVP_KDF_derive_SKEY and EVP_PKEY_derive_SKEY of
 * OpenSSL 3.6 and later.  The key's bytes never leave the provider.  Called by kdf/kdf and keyexch/.
 */
#ifndef SCHANNEL_KDF_SESSION_KEY_H
#define SCHANNEL_KDF_SESSION_KEY_H

#include "kdf/kdf.h"
#include "key/key.h"
#include "skey_dispatch.h"

/*
 * The session key that the usage of |kdf| names, from |master| or, when that is NULL, from the secret
 * set on |kdf|.  |size|, in bytes, is that of the key, or 0 for whatever it is.  A new key with one
 * reference, not exportable; NULL with a reason raised.
 */
struct key *kdf_session_key(const struct kdf *kdf, struct key *master, size_t size);

/* Of the dispatch tables of kdf/kdf. */
OSSL_FUNC_kdf_set_skey_fn kdf_set_skey;
OSSL_FUNC_kdf_derive_skey_fn kdf_derive_skey;

#endif
