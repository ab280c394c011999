/*
 * The bulk ciphers that the four protocols negotiate: one row each.
 * Read by protocol/, key/ and the operation rooms; nothing here changes at run time.
 */
#ifndef SCHANNEL_PROTOCOL_BULK_CIPHER_H
#define SCHANNEL_PROTOCOL_BULK_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#define BULK_CIPHER_MAX_KEY_SIZE   32
#define BULK_CIPHER_MAX_BLOCK_SIZE 16

/* For messages. */
#define BULK_CIPHER_NAMES                                                                          \
    "RC4, RC2-CBC, DES-CBC, DES-EDE-CBC, DES-EDE3-CBC, AES-128-CBC, AES-192-CBC or AES-256-CBC"

/* The numbers are written into blobs: never renumber. */
enum bulk_cipher_id {
    BULK_CIPHER_NONE = 0,
    BULK_CIPHER_RC4 = 1,
    BULK_CIPHER_RC2 = 2,
    BULK_CIPHER_DES = 3,
    BULK_CIPHER_DES_EDE = 4,
    BULK_CIPHER_DES_EDE3 = 5,
    BULK_CIPHER_AES_128 = 6,
    BULK_CIPHER_AES_192 = 7,
    BULK_CIPHER_AES_256 = 8
};

struct bulk_cipher {
    enum bulk_cipher_id id;
    const char *name;       /* our name, "AES-128-CBC" */
    const char *fetch_name; /* the name to fetch from libcrypto: "AES-128-CBC", "DES-EDE3-CBC" */
    uint32_t alg_id;        /* ALG_ID of wincrypt.h */
    unsigned default_bits;  /* full key size; DES family with parity: 64, 128, 192 */
    unsigned min_bits;      /* smallest key of a key object, in bits */
    unsigned strength_bits; /* synonym without parity for the DES family (56, 112, 168), else
                               default_bits */
    size_t block_size;      /* 1 for a stream cipher */
    size_t iv_size;         /* 0 for a stream cipher */
};

/* NULL when there is no such row.  Names are compared without case. */
const struct bulk_cipher *bulk_cipher_by_name(const char *name);
const struct bulk_cipher *bulk_cipher_by_id(unsigned id);
/* The nth row, NULL past the end. */
const struct bulk_cipher *bulk_cipher_at(size_t n);

/* How many bytes a cipher takes from an SSL3/TLS1 key block and what it ends up with. */
struct bulk_cipher_sizes {
    size_t material; /* bytes per direction taken from the key block */
    size_t key;      /* bytes of the final write key */
    size_t iv;       /* bytes of the IV per direction */
};

/*
 * Sizes for |bits| of secret (0: the full size) per the table of RFC 6101 6.2.2 / RFC 2246 6.3 and
 * draft-ietf-tls-56-bit-ciphersuites-01.  |is_export| alone decides whether the key is finalised:
 * then RC4 and RC2 end with 16 bytes and DES with 8, whatever |bits| is.  Without it RC4 and RC2
 * keys of 40..128 bits (steps of 8) are used as they come.  DES of 40 bits exists only for export;
 * the other ciphers have no export form.
 * 1, or 0 when the cipher has no such size.
 */
int bulk_cipher_key_block_sizes(const struct bulk_cipher *cipher, unsigned bits, int is_export,
                                struct bulk_cipher_sizes *sizes);

#endif
