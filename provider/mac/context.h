/*
 * The context of the EVP_MACs "PCT1-MAC" to "TLS1-MAC", and what a call on it asks for.  Private to mac/.
 */
#ifndef SCHANNEL_MAC_CONTEXT_H
#define SCHANNEL_MAC_CONTEXT_H

#include "key/key.h"
#include "key/mac_record.h"
#include "key/options.h"

struct mac_context {
    struct provctx *provctx;
    enum key_protocol protocol;
    const char *name;     /* "TLS1-MAC", for messages */
    struct key *key;      /* bound: holds a reference; else NULL */
    struct mac_value own; /* unbound: key bytes of our own, when |has_key| */
    uint8_t has_key;
    enum digest_id digest; /* of the bound key or of |own|, or for key bytes to come */
    /* Key bytes may come before the digest: kept until both are there. */
    uint8_t *pending_key;
    size_t pending_key_size;
    /* A sequence number may come before the key. */
    uint8_t has_pending_sequence;
    uint64_t pending_sequence;
    struct mac_record record;
    struct blob_options options; /* of the blobs that are read from it */
};

/* Collected and checked before anything changes. */
struct mac_request {
    struct key *key;           /* to be bound to, with a reference; NULL: not asked for */
    struct key *opened;        /* made from opaque-blob, ours; NULL: not asked for */
    enum digest_id key_digest; /* of either */
    struct octets key_bytes;   /* borrowed */
    uint8_t has_key_bytes, has_sequence, has_options;
    uint64_t sequence;
    enum digest_id digest; /* DIGEST_NONE: not asked for */
    struct mac_record record;
    struct blob_options options; /* ours when |has_options| */
};

/*
 * Collects what |params| (or NULL) ask for; in an initialisation |is_init| is 1, and |key| are the
 * key bytes and |skey| the key of an EVP_SKEY that came beside them (NULL: none).  Whatever the call would fail for is found here:
 * 1, or 0 with a reason raised, the context unchanged and nothing to clear.
 */
int mac_request_collect(const struct mac_context *context, int is_init, const struct octets *key,
                        struct key *skey, const OSSL_PARAM params[], struct mac_request *request);
void mac_request_clear(struct mac_request *request);

/* The digest that a protocol has no choice about, or DIGEST_NONE. */
enum digest_id mac_context_only_digest(const struct mac_context *context);
/* The reason why a context without a key cannot do anything.  0. */
int mac_context_has_no_key(const struct mac_context *context);

#endif
