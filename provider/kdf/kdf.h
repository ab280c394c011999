/*
 * The context of the KDFs "PCT1-KDF", "SSL2-KDF", "SSL3-KDF" and "TLS1-KDF", and what "usage" can
 * say.  Shared by kdf/ and keyexch/.
 */
#ifndef SCHANNEL_KDF_KDF_H
#define SCHANNEL_KDF_KDF_H

#include <openssl/core_dispatch.h>
#include "key/derivation.h"
#include "protocol/connection.h"
#include "protocol/tls1.h"

/* An owned copy of a parameter; |data| NULL: not set. */
struct input {
    uint8_t *data;
    size_t size;
};

struct kdf;
struct key;

#define KDF_MAX_MASTER_SIZE 48

/* One value of "usage". */
struct kdf_usage {
    const char *name;
    /* |size| is what kdf_usage.size said, or anything up to it when it only gives a limit. */
    int (*derive)(const struct kdf *, const struct kdf_usage *, uint8_t *out, size_t size);
    /* The only size the output can have; NULL: any size up to |most|. */
    int (*size)(const struct errors *, const struct kdf *, size_t *size);
    /* The largest output; NULL: there is no limit. */
    size_t (*most)(const struct kdf *);
    enum connection_side side;
    unsigned protocols; /* bit 1 << protocol for each that has it */
};

struct kdf {
    struct provctx *provctx;
    enum key_protocol protocol;
    const struct kdf *before; /* while parameters are set: how the context was */
    const struct kdf_usage *usage;
    struct derivation derivation;
    struct key *master; /* in the place of secret and premaster, with a reference; NULL: none */
    struct input secret, premaster, label, seed;
    struct tls1_secret tls1_secret; /* of TLS 1.0: |secret| as its PRF uses it */
    /* The handshake messages, or MD5 || SHA-1 of them. */
    uint8_t has_handshake, has_handshake_hash;
    struct digest_state handshake_md5, handshake_sha1;
    uint8_t handshake_hash[36];
};

/* The functions of the dispatch tables; kdf_derive takes what kdf_set_ctx_params does. */
struct kdf *kdf_new(struct provctx *provctx, enum key_protocol protocol);
OSSL_FUNC_kdf_freectx_fn kdf_free;
OSSL_FUNC_kdf_dupctx_fn kdf_dup;
OSSL_FUNC_kdf_derive_fn kdf_derive;
OSSL_FUNC_kdf_set_ctx_params_fn kdf_set_ctx_params;
/* The same as the parameter "secret".  1, or 0 with a reason raised. */
int kdf_set_secret(struct kdf *kdf, struct octets secret);
/* Gives the reference back. */
void kdf_forget_master(struct kdf *kdf);
/* 1 unless both the bytes of a secret and a key object are set; then 0 with a reason raised. */
int kdf_check_one_secret(const struct kdf *kdf);
/* The master secret or master key, given or made from the premaster secret.  Borrowed from |kdf| or
 * |buffer|, which the caller cleanses.  1, or 0 with a reason raised. */
int kdf_get_master(const struct kdf *kdf, uint8_t buffer[KDF_MAX_MASTER_SIZE],
                   struct octets *master);

/* NULL when there is no such usage, whatever the protocol. */
const struct kdf_usage *kdf_usage_by_name(const char *name);
const struct kdf_usage *kdf_default_usage(void);
/* 1 when the protocol of |kdf| has |usage|; else 0 with a reason that says what it has instead. */
int kdf_usage_check(const struct kdf *kdf, const struct kdf_usage *usage);

#endif
