/*
 * A second implementation of format version 1 of signed blobs, from the description in
 * provider/blob/signed.h alone: nothing of provider/ here, signatures by EVP in the test's library
 * context.
 *
 * The writer signs whatever it is told, right or wrong.
 */
#ifndef SCHANNEL_TESTS_EVP_SIGNED_FORMAT_H
#define SCHANNEL_TESTS_EVP_SIGNED_FORMAT_H

#include "fixture.h"
#include "primitive/octets.h"

#define FORMAT_MAX_SIZE  70000
#define FORMAT_MAX_INNER 20
#define FORMAT_ID_SIZE   32

/* The numbers of the format. */
enum { FORMAT_RSA_PSS = 1, FORMAT_ECDSA = 2, FORMAT_ED25519 = 3, FORMAT_ED448 = 4 };

struct signed_format {
    uint8_t version, algorithm;
    uint64_t created;
    uint8_t signer_id[FORMAT_ID_SIZE];
    struct octets purpose, serial, message_hash; /* borrowed */
    uint8_t count;
    struct octets inner[FORMAT_MAX_INNER];
    size_t inner_count;      /* how many are written, whatever |count| says */
    struct octets signature; /* only read */
    size_t signed_size;      /* bytes that the signature is over */
};

/* Nothing inside yet, signed by |signer|, whose SubjectPublicKeyInfo is |spki|. */
void format_start(struct signed_format *format, const EVP_PKEY *signer, struct octets spki);
/* The bytes that are signed; their size. */
size_t format_write_content(const struct signed_format *format, uint8_t out[FORMAT_MAX_SIZE]);
/* Signs |content_size| bytes at |blob| and puts the signature behind them; the whole size. */
size_t format_sign(EVP_PKEY *signer, uint8_t blob[FORMAT_MAX_SIZE], size_t content_size);
size_t format_write(const struct signed_format *format, EVP_PKEY *signer,
                    uint8_t blob[FORMAT_MAX_SIZE]);

/* Why a blob is not sound; the earlier of two. */
enum format_fault {
    FORMAT_SOUND,
    FORMAT_NO_MAGIC,
    FORMAT_OTHER_VERSION,
    FORMAT_MALFORMED, /* lengths, counts, trailing bytes */
    FORMAT_UNKNOWN_ALGORITHM,
    FORMAT_OTHER_SIGNER,
    FORMAT_FORGED /* algorithm or signature */
};

/* Takes |blob| apart; whoever signed it, as far as format and version go. */
enum format_fault format_read(struct octets blob, struct signed_format *format);
/* The same, and verifies that |signer| signed it. */
enum format_fault format_verify(struct octets blob, EVP_PKEY *signer, struct octets spki,
                                struct signed_format *format);

#endif
