/*
 * The golden keys: what each blob of tests/vectors/golden-opaque-v1.txt holds, described field by
 * field.  All bytes follow from the name of the case, so that the blobs come out the same for ever.
 *
 * Never change a case: format version 1 is frozen.  New ones go to the end.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_CASES_H
#define SCHANNEL_TESTS_EVP_GOLDEN_CASES_H

#include "golden_state.h"
#include "golden_writer.h"

/* Of every blob here. */
#define GOLDEN_CREATED    1700000000u          /* 14 November 2023 */
#define GOLDEN_FAR        UINT64_C(7258118400) /* 1 January 2200 */
#define GOLDEN_LONG_AGO   1700000060u
#define GOLDEN_PASSWORD   "correct horse battery staple"
#define GOLDEN_ITERATIONS 10000

/* What is encrypted and authenticated: no multiple of a block. */
#define GOLDEN_TEXT_SIZE 187
#define GOLDEN_MAX_KEY   256
#define GOLDEN_MAX_FIELD 512

/* The numbers of the format, as its description gives them. */
enum { GOLDEN_SNAPSHOT = 0, GOLDEN_TRANSFER = 1 };
enum { GOLDEN_MASTER = 1, GOLDEN_CIPHER = 2, GOLDEN_MAC = 3 };
enum { GOLDEN_NONE = 0, GOLDEN_ENCRYPT = 1, GOLDEN_DECRYPT = 2 };
enum { GOLDEN_MD5 = 1, GOLDEN_SHA1 = 2 };
enum { GOLDEN_PCT1 = 1, GOLDEN_SSL2 = 2, GOLDEN_SSL3 = 3, GOLDEN_TLS1 = 4 };
enum { GOLDEN_CLIENT_KEY = 1, GOLDEN_SERVER_KEY = 2, GOLDEN_CLIENT_MAC = 3, GOLDEN_SERVER_MAC = 4 };

struct golden_alg {
    const char *name; /* libcrypto knows the ciphers under the same one */
    uint32_t alg_id;
    uint8_t kind, id;
    uint8_t protocol;   /* of masters and MACs */
    uint8_t block_size; /* 0: no block cipher */
    uint8_t key_size;   /* usual; 0: that of the digest */
};

/* By kind; within a kind as in the format. */
enum golden_alg_index {
    PCT1_MASTER,
    SSL2_MASTER,
    SSL3_MASTER,
    TLS1_MASTER,
    RC4,
    RC2,
    DES,
    DES_EDE,
    DES_EDE3,
    AES_128,
    AES_192,
    AES_256,
    PCT1_MAC,
    SSL2_MAC,
    SSL3_MAC,
    TLS1_MAC,
    GOLDEN_ALG_COUNT
};

enum golden_message { IDLE = 0, RAW, RECORD };

struct golden_case {
    const char *name;
    enum golden_alg_index alg;
    /* disposition */
    uint8_t exportable, fork, mode, is_expired, has_passphrase;
    const char *audience;
    uint8_t protocol, usage;
    /* the key; |key_size| 0: the usual one */
    uint16_t key_size;
    uint8_t is_for_context; /* of a size that only a context has */
    /* masters */
    uint8_t has_master_secret, client_random, server_random, cipher, digest;
    uint16_t cipher_bits, mac_bits, choices;
    uint16_t clear_key, certificate; /* sizes */
    uint16_t highest_version;        /* what the premaster secret begins with, if there is one */
    /* ciphers: how much went through, and how */
    uint8_t has_salt, direction, padding;
    uint16_t effective_bits; /* RC2; 0: those of the key */
    uint16_t absorbed;       /* SSL 2.0: bytes of GOLDEN_TEXT in the message */
    /* MACs, and ciphers of SSL 2.0: |digest| above */
    enum golden_message message;
    uint64_t sequence;
    uint16_t
        position; /* bytes of GOLDEN_TEXT that went through or, with a MAC key, were absorbed */
};

extern const struct golden_alg golden_algs[];
extern const struct golden_case golden_cases[];
extern const size_t golden_case_count;
/* By the number in the format; NULL or "" for none. */
extern const char *const golden_usage_names[], *const golden_digest_names[];

/* Fails the test when there is none. */
const struct golden_case *golden_case_named(const char *name);

const struct golden_alg *golden_alg_of(const struct golden_case *golden);
unsigned golden_protocol(const struct golden_case *golden);
int golden_is_ssl2_cipher(const struct golden_case *golden);
/* 1 when there is a sequence and perhaps a message: MACs and ciphers of SSL 2.0. */
int golden_has_message(const struct golden_case *golden);
/* Bytes of GOLDEN_TEXT in the message. */
size_t golden_absorbed(const struct golden_case *golden);
size_t golden_key_size(const struct golden_case *golden);
/* Of RC2, else 0. */
unsigned golden_effective_bits(const struct golden_case *golden);
/* Where the block that comes next begins: up to there the text went through. */
size_t golden_done(const struct golden_case *golden);

/* |size| bytes that follow from |label| and the name of the case. */
void golden_fill(const struct golden_case *golden, const char *label, uint8_t *out, size_t size);
/* What went through the key, or will: plaintext. */
void golden_text(const struct golden_case *golden, uint8_t text[GOLDEN_TEXT_SIZE]);
/* The sealing key of all blobs that have no passphrase. */
void golden_sealing_key(uint8_t secret[GOLDEN_SECRET_SIZE]);
/* The one that opens this blob. */
void golden_secret(const struct golden_case *golden, uint8_t secret[GOLDEN_SECRET_SIZE]);
/* The key bytes of a session key; premaster or master secret, or master key. */
void golden_key(const struct golden_case *golden, uint8_t *key);
/* The same with the salt, and what else the cipher runs with. */
void golden_cipher_key(const struct golden_case *golden, struct golden_cipher_key *key);
/* What a record with the text has before it, SSL 3.0: seq_num || type || length, TLS 1.0 with the
 * version behind the type; the size. */
size_t golden_record_header(const struct golden_case *golden, uint8_t header[13]);
/* And what it has behind it, PCT 1.0 and SSL 2.0: seq_num in four bytes. */
size_t golden_record_trailer(const struct golden_case *golden, uint8_t trailer[4]);

void golden_header(const struct golden_case *golden, struct golden_header *header);
void golden_payload(const struct golden_case *golden, struct golden_bytes *payload);
void golden_blob(const struct golden_case *golden, struct golden_bytes *blob);

#endif
