/*
 * The provider context: everything that one activation of the provider in one library context
 * owns.  There is no other state: the module has no globals.
 *
 * Made by OSSL_provider_init, handed by libcrypto to every constructor of the operation rooms,
 * freed by the teardown function, when no object of the provider is left.
 */
#ifndef SCHANNEL_PROVIDER_PROVCTX_H
#define SCHANNEL_PROVIDER_PROVCTX_H

#include <openssl/core.h>
#include <openssl/types.h>
#include "config.h"
#include "errors.h"
#include "protocol/bulk_cipher.h"

/* Inner fetches must never find ourselves: we are visible in our own child library context. */
#define PROVCTX_INNER_PROPERTIES "provider!=schannel"

struct claim_journal;
struct fork_guard;
struct handle_table;
struct inner_ciphers;
struct inner_opens;
struct legacy_provider;
struct sealer;
struct sealing_keyring;
struct trace;

struct provctx {
    const OSSL_CORE_HANDLE *core;
    OSSL_LIB_CTX *libctx; /* child of the application's: sees its other providers */
    /* Where exchange and signature keys are read and used: |libctx|; where the core is another
     * libcrypto than this module's, a context of its own, with that one's default provider. */
    OSSL_LIB_CTX *keys_libctx;
    OSSL_PROVIDER *keys_provider; /* NULL where |keys_libctx| is |libctx| */
    struct errors *errors;
    struct config config;
    struct trace *trace;            /* diagnostics; NULL: not wanted */
    struct handle_table *handles;   /* key-handle -> live key */
    struct legacy_provider *legacy; /* for RC2, DES and MD4, loaded on first need */
    struct inner_ciphers *ciphers;  /* libcrypto's ciphers, fetched on first use */
    struct sealer *sealer;
    struct sealing_keyring *keyring;
    struct claim_journal *claims;    /* which transfers were opened */
    struct inner_opens *inner_opens; /* keys of other providers, see blob/key_argument.h */
    struct fork_guard *fork_guard;
};

/* NULL when memory is out or the core lacks what we need. */
struct provctx *provctx_new(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in);
void provctx_free(struct provctx *provctx);

/* libcrypto's implementation of |cipher|, owned by the provider context: see inner_ciphers.h.  NULL
 * with a reason raised. */
const EVP_CIPHER *provctx_inner_cipher(struct provctx *provctx, const struct bulk_cipher *cipher);

/* Somebody else's digest, OpenSSL's legacy provider included, by any name that it has there; the
 * caller frees it.  NULL when nobody offers it, and nothing is raised. */
EVP_MD *provctx_fetch_digest(const struct provctx *provctx, const char *name);

#endif
