/*
 * Signed blobs: one of the other blobs, or one for each of several receivers, with the word of a
 * signer on what it is for.  CryptoAPI has no such blob; its documentation says to sign the
 * SIMPLEBLOB of a session key that is stored or sent, and this is the envelope for it.
 *
 * In TLS presentation language, format version 1, big-endian:
 *
 *   struct {
 *       opaque magic[8];                    89 53 43 48 53 49 47 0a, "\x89SCHSIG\n"
 *       uint8  version;                     1
 *       uint8  algorithm;                   enum signature_algorithm
 *       uint64 created;                     seconds since 1970, by the signer's clock
 *       opaque signer_id[32];               SHA-256 of the signer's SubjectPublicKeyInfo
 *       opaque purpose<1..64>;              uint8 length
 *       opaque serial<0..32>;               uint8 length; empty: none
 *       opaque message_hash<0..64>;         uint8 length; empty: none
 *       uint8  count;                       1..16
 *       opaque inner<1..65535>[count];      uint16 length each; opaque, simple or plaintext blobs;
 *                                           several are simple blobs of one key
 *   } Signed;
 *
 *   struct {
 *       Signed signed;
 *       opaque signature<1..2048>;          uint16 length; over all bytes of |signed|
 *   } SignedBlob;
 *
 * Nothing inside is touched before the signature has verified under the key that the importer
 * expects.  Called by blob/blob.
 */
#ifndef SCHANNEL_BLOB_SIGNED_H
#define SCHANNEL_BLOB_SIGNED_H

#include "blob/opaque.h"
#include "blob/signature.h"
#include "blob/simple.h"

#define SIGNED_BLOB_MAGIC_SIZE 8
#define SIGNED_BLOB_MAX_COUNT  OPTIONS_MAX_RECIPIENTS
/* One opaque blob of any size, or as many simple blobs as there can be, and the rest. */
#define SIGNED_BLOB_MAX_SIZE (OPAQUE_BLOB_MAX_SIZE + 4096)

/* 1 when |data| starts with the magic. */
int signed_blob_is_ours(const uint8_t *data, size_t size);

/* What everybody can read of a signed blob, who does not know yet whether it is true. */
struct signed_blob {
    unsigned algorithm;
    uint64_t created;
    uint8_t signer_id[SIGNER_ID_SIZE];
    struct octets purpose, serial, message_hash; /* borrowed, as all of these */
    size_t count;
    struct octets inner[SIGNED_BLOB_MAX_COUNT];
    struct octets content, signature; /* what is signed, and with what */
};

/* Takes |blob| apart.  1, or 0 with a reason raised. */
int signed_blob_read(const struct provctx *provctx, struct octets blob, struct signed_blob *read);

/*
 * Makes a blob of |key|, in *blob, which the caller frees with OPENSSL_clear_free.  A use of the
 * key.  |seal_passphrase| (NULL: none is wanted) seals an opaque blob inside, |passphrase| opens
 * encrypted files of keys.  1, or 0 with a reason raised.
 */
int signed_blob_export(struct key *key, const struct blob_options *options,
                       const struct passphrase_source *seal_passphrase,
                       const struct passphrase_source *passphrase, uint8_t **blob, size_t *size);

/*
 * Verifies signature, purpose, age, serial and message hash, as far as |options| ask, and opens what
 * is inside.  A new key, or NULL with a reason raised.
 */
struct key *signed_blob_import(struct provctx *provctx, struct octets blob,
                               const struct blob_options *options,
                               const struct passphrase_source *passphrase);

#endif
