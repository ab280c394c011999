/*
 * The sealed opaque blob, format version 1: any key with all its state, encrypted and
 * authenticated.  Called by keymgmt/, encoder/, decoder/, cipher/ and mac/.
 *
 * Version 1 is frozen: what is written here stays readable for ever, and another layout is another
 * version.  In TLS presentation language (RFC 2246 section 4), integers big-endian but in the
 * BLOBHEADER:
 *
 *   struct {
 *       uint8  type = 9;                    BLOBHEADER of CryptoAPI: OPAQUEKEYBLOB
 *       uint8  version = 2;                 CUR_BLOB_VERSION
 *       uint16 reserved = 0;
 *       uint32 ai_key_alg;                  ALG_ID, little-endian; fits |algorithm|
 *       uint8  format_version = 1;
 *       uint8  mode;                        0 snapshot, 1 transfer
 *       uint8  flags;                       bit 0: exportable; bit 1: sealed under a passphrase
 *       uint8  kind;                        1 master, 2 cipher, 3 mac
 *       uint8  algorithm;                   enum key_algorithm_id
 *       uint8  protocol;                    enum key_protocol
 *       uint8  usage;                       enum key_usage
 *       uint8  reserved = 0;
 *       uint64 created;                     seconds since 1970
 *       uint64 not_after;                   the same; 0, does not expire, in a snapshot only
 *       opaque sealing_key_id[8];           zeros when sealed under a passphrase
 *       opaque blob_id[16];                 random; the salt of the seal and of the passphrase
 *       opaque audience_hash<0..32>;        uint8 length, 0 or 32, 0 in a snapshot:
 *                                           SHA-256("schannel audience" || blob_id || audience)
 *       select (flags bit 1) {
 *           case 1: uint32 iterations;      of PBKDF2, see blob/passphrase.h
 *       };
 *       opaque sealed<48..2^16-1>;          see blob/seal.h; everything before it, its length
 *   } OpaqueKeyBlob;                        included, is the associated data
 *
 * What is sealed is the Payload of blob/opaque_payload.h.
 */
#ifndef SCHANNEL_BLOB_OPAQUE_H
#define SCHANNEL_BLOB_OPAQUE_H

#include "blob/passphrase.h"
#include "key/key.h"
#include "key/options.h"
#include "primitive/octets.h"
#include "provctx.h"

/* The largest blob that an import looks at: a master with the largest premaster secret and the
 * largest certificate is well below it.  Readers stop there. */
#define OPAQUE_BLOB_MAX_SIZE 65536
/* 1 when |data| starts with the BLOBHEADER of an opaque blob: type 9, version 2, reserved 0. */
int opaque_blob_is_ours(const uint8_t *data, size_t size);

/*
 * The size that opaque_blob_export would write now, with |options| before those of the key; 0 with a
 * reason raised.  Makes no blob and is no use of the key.
 */
size_t opaque_blob_size(struct key *key, const struct blob_options *options);

/*
 * Seals the present state of |key|.  |options| come before those that are kept with the key.
 * |passphrase| (NULL: not asked for) is used unless a seal-key is given; otherwise the sealing key
 * is that of the options, then of the configuration, then "user" or, for transfers, "runtime".
 * *blob is OPENSSL_malloc'ed and nothing secret.  1, or 0 with a reason raised.  A use of the key,
 * which is not changed.
 */
int opaque_blob_export(struct key *key, const struct blob_options *options,
                       const struct passphrase_source *passphrase, uint8_t **blob, size_t *size);

/* Answers a get request for "opaque-blob": the size, or the blob of an export. */
int opaque_blob_get_param(struct key *key, const struct blob_options *options, OSSL_PARAM *param);

/* What a blob is opened for.  The state of a context that has key bytes of its own may have a key
 * that no key object can have. */
enum opaque_target { OPAQUE_FOR_KEY, OPAQUE_FOR_CONTEXT };

/*
 * Opens |blob|, which has to end where its header says, with seal-key, audience and claim-dir of
 * |options|.  |passphrase| (NULL: there is none) is asked when the blob says so.  A new key with
 * one reference, or NULL with a reason raised.  Nothing secret is parsed before the seal has
 * verified.  The key of a transfer waits for its first use.
 */
struct key *opaque_blob_import(struct provctx *provctx, struct octets blob,
                               const struct blob_options *options,
                               const struct passphrase_source *passphrase,
                               enum opaque_target target);

/* Fills an empty key object in the same way. */
int opaque_blob_import_into(struct key *key, struct octets blob, const struct blob_options *options,
                            const struct passphrase_source *passphrase, enum opaque_target target);

#endif
