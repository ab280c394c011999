/*
 * The context that all ciphers share, and what a call on it asks for.  Private to cipher/.
 */
#ifndef SCHANNEL_CIPHER_CONTEXT_H
#define SCHANNEL_CIPHER_CONTEXT_H

#include <openssl/core.h>
#include "key/key.h"
#include "key/options.h"

enum padding_choice { PADDING_DEFAULT = 0, PADDING_OFF, PADDING_ON };

struct cipher_context {
    struct provctx *provctx;
    const struct bulk_cipher *cipher;
    struct key *key;         /* bound: holds a reference; else NULL */
    struct cipher_value own; /* unbound: key bytes of our own, when |has_key| */
    uint8_t has_key, encrypt;
    enum padding_choice padding;
    size_t key_size;                     /* of the bound key, and of the next key bytes */
    unsigned effective_bits;             /* RC2: of the next key bytes; else 0 */
    struct blob_options options;         /* of the blobs that are read from it */
    uint8_t iv_view[CBC_MAX_BLOCK_SIZE]; /* what a pointer to the IV points to */
    uint8_t updated_iv_view[CBC_MAX_BLOCK_SIZE];
};

/* Collected and checked before anything changes. */
struct cipher_request {
    struct key *key;    /* to be bound to, with a reference; NULL: not asked for */
    struct key *opened; /* made from opaque-blob, ours; NULL: not asked for */
    enum padding_choice padding;
    size_t key_size;
    unsigned effective_bits;
    uint8_t has_options;
    struct blob_options options; /* ours when |has_options| */
};

/*
 * Collects what |params| (or NULL) ask for; |skey| is the key of an EVP_SKEY to be bound to (NULL:
 * none).  1, or 0 with a reason raised, the context unchanged and
 * nothing to clear.  A transfer is not claimed yet: key_claim, when nothing else is wrong.
 */
int cipher_request_collect(const struct cipher_context *context, struct key *skey,
                           const OSSL_PARAM params[], struct cipher_request *request);
void cipher_request_clear(struct cipher_request *request);

#endif
