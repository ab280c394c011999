/*
 * "vault", a provider for the tests: RSA keys that never leave it.
 *
 * STORE scheme "vault:ABILITY:FILE" opens the private key in FILE, in a library context of the
 * vault's own that nobody else sees.  KEYMGMT, ASYM_CIPHER and SIGNATURE "RSA" work with it there;
 * what they offer depends on the ABILITY.  The key management has an export, because libcrypto asks
 * for one where it can, and the export refuses and counts.
 *
 * What a token may do and libcrypto's own keys do not: EVP_PKEY_get_size is always 512, the store
 * takes no parameters, nothing verifies, and a signature of RSA-PSS has the longest salt.
 *
 * The counters are parameters of the provider: OSSL_PROVIDER_get_params.
 */
#ifndef SCHANNEL_TESTS_TOKEN_VAULT_H
#define SCHANNEL_TESTS_TOKEN_VAULT_H

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#define VAULT_NAME       "vault"
#define VAULT_PROPERTIES "provider=vault"

/* Counters. */
#define VAULT_EXPORTS     "vault-exports"     /* of anything */
#define VAULT_IMPORTS     "vault-imports"     /* of somebody else's key */
#define VAULT_DECRYPTIONS "vault-decryptions" /* that were begun */
#define VAULT_SIGNATURES  "vault-signatures"
#define VAULT_DESTROYED   "vault-destroyed" /* keys that somebody told it to destroy */
#define VAULT_HANDLES     "vault-handles"   /* keys that are open now */

enum ability {
    ABILITY_BARE,  /* bare:  decrypts without padding only */
    ABILITY_PKCS1, /* pkcs1: removes the padding of PKCS#1 v1.5, knows no other */
    ABILITY_LATE,  /* late:  the same, but refuses the others not before it decrypts */
    ABILITY_OAEP,  /* oaep:  removes OAEP, knows no other */
    ABILITY_SIGN,  /* sign:  signs, does not decrypt */
    ABILITY_MUTE,  /* mute:  like pkcs1, and does not even tell its public part */
    ABILITIES
};

struct vault_counters {
    int exports, imports, decryptions, signatures, destroyed, handles;
};

struct vault {
    const OSSL_CORE_HANDLE *core;
    OSSL_FUNC_BIO_write_ex_fn *write;
    OSSL_LIB_CTX *libctx; /* its own */
    OSSL_PROVIDER *software;
    struct vault_counters counters; /* changed atomically */
};

struct vault_key {
    struct vault *vault;
    EVP_PKEY *key; /* owned; NULL in an empty object */
    enum ability ability;
};

void vault_count(int *counter, int change);
/* NULL when |uri| names no key of the vault. */
struct vault_key *vault_key_open(struct vault *vault, const char *uri);
void vault_key_free(struct vault_key *key);

extern const OSSL_DISPATCH vault_keymgmt_functions[];
extern const OSSL_DISPATCH vault_store_functions[];
extern const OSSL_DISPATCH vault_cipher_functions[];
extern const OSSL_DISPATCH vault_signature_functions[];
extern const OSSL_DISPATCH vault_encoder_functions[];

#endif
