/*
 * Streams that can be cut anywhere: a few messages for one algorithm, what OpenSSL's own
 * implementation makes of them uncut, and the holder of a state that works through them piece by
 * piece.  A holder's state leaves it as a blob and goes on in another, in any way that there is.
 *
 * A stream is counted in units: each byte of a message is one, and so is the Final that ends it.
 * Everything here fails the running CMocka test when something is not as it should be.
 */
#ifndef SCHANNEL_TESTS_EVP_STREAM_H
#define SCHANNEL_TESTS_EVP_STREAM_H

#include "fixture.h"

#define STREAM_MAX_MESSAGES 4
#define STREAM_MAX_TEXT     512
#define STREAM_MAX_OUTPUT   (STREAM_MAX_TEXT + 16 * STREAM_MAX_MESSAGES)
#define STREAM_MAX_BLOB     2048 /* as PEM */

#define FIRST_SEQUENCE      UINT64_C(0x1fffffffe) /* a carry comes after two records */

struct algorithm {
    const char *label;
    const char *cipher; /* without the prefix; NULL: a MAC */
    const char *mac;    /* the other way round */
    const char *digest; /* of a MAC */
    uint64_t
        first_sequence; /* of a MAC: numbers of 32 bits reach their end with the third record */
    size_t block, key_size;
    unsigned effective_bits; /* RC2 */
    int is_salted;
    int no_key_object; /* only contexts have keys of this size */
};

enum {
    RC4_40,
    RC4_40_SALTED,
    RC4_128,
    RC2_40_SALTED,
    RC2_128,
    DES,
    DES_EDE,
    DES_EDE3,
    AES_128,
    AES_192,
    AES_256,
    MAC_PCT1_MD5,
    MAC_PCT1_SHA1,
    MAC_SSL2,
    MAC_SSL3_MD5,
    MAC_SSL3_SHA1,
    MAC_MD5, /* TLS1-MAC */
    MAC_SHA1,
    MAC_SHORT, /* from here on: only contexts have such keys */
    MAC_LONG,
    RC4_ANY, /* stream.key_size says how many bytes */
    ALGORITHMS
};

extern const struct algorithm algorithms[ALGORITHMS];

/* Without pointers, so that it can go to another process. */
struct stream {
    unsigned algorithm;
    int encrypt, padding; /* of ciphers */
    int record;           /* of MACs: record mode */
    size_t key_size, messages, size[STREAM_MAX_MESSAGES], units;
    uint8_t text[STREAM_MAX_TEXT]; /* of all messages */
    size_t expected_size;
    uint8_t expected[STREAM_MAX_OUTPUT];
};

/* What a variant of an algorithm is called in messages. */
const char *stream_name(const struct stream *stream);

/*
 * Fills |stream|: |sizes| are those of the plain texts.  |record| and |padding| as above;
 * |key_size| 0 takes the algorithm's.
 */
void stream_init(struct stream *stream, unsigned algorithm, int encrypt, int padding, int record,
                 size_t key_size, const size_t *sizes, size_t messages);
/* Frees what is kept between streams; before fixture_teardown. */
void stream_teardown(void);

/* Where a state lives: in a key object, or in a context with key bytes of its own. */
struct holder {
    EVP_PKEY *key;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
};

enum way_out {
    OUT_KEY_PARAM,     /* "opaque-blob" of the key object */
    OUT_BOUND_CONTEXT, /* the same of a context bound to it */
    OUT_PEM,           /* encoders */
    OUT_DER,
    OUT_OPAQUEBLOB,
    OUT_CONTEXT /* "opaque-blob" of a context with a state of its own */
};

enum way_in {
    IN_KEY_PARAM, /* EVP_PKEY_fromdata */
    IN_PEM,       /* decoders */
    IN_DER,
    IN_OPAQUEBLOB,
    IN_CONTEXT_INIT, /* beside an initialisation */
    IN_CONTEXT_SET   /* set later */
};

/* A new key at the start of the stream. */
void holder_make(struct holder *holder, const struct stream *stream, int in_context);
/* The units |from| up to |to|; *written bytes come out.  With |started| the record at |from| has
 * begun already. */
void holder_run(struct holder *holder, const struct stream *stream, size_t from, size_t to,
                int started, uint8_t *out, size_t *written);
/* Begins the record at unit |at| with no byte of it, when one begins there: 1 then. */
int holder_begin(struct holder *holder, const struct stream *stream, size_t at);
size_t holder_suspend(struct holder *holder, const struct stream *stream, enum way_out way,
                      uint8_t blob[STREAM_MAX_BLOB]);
void holder_resume(struct holder *holder, const struct stream *stream, enum way_in way,
                   const uint8_t *blob, size_t size);
/* An independent copy, by EVP_PKEY_dup or the duplicate of a context. */
void holder_duplicate(struct holder *copy, const struct holder *holder);
void holder_free(struct holder *holder);

/* Runs the units from |from| to the end and compares with what OpenSSL gave for them. */
void holder_finish(struct holder *holder, const struct stream *stream, size_t from, size_t written);

/* The parts of the above that tests with contexts of their own need. */
EVP_CIPHER *stream_cipher(const struct stream *stream);
EVP_MAC *stream_mac(const struct stream *stream);
EVP_CIPHER_CTX *stream_bind_cipher(const struct stream *stream, EVP_PKEY *key);
EVP_MAC_CTX *stream_bind_mac(const struct stream *stream, EVP_PKEY *key);
/* |context| is of the kind that the algorithm has; the other is NULL. */
void stream_run(const struct stream *stream, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, size_t from,
                size_t to, int started, uint8_t *out, size_t *written);
void stream_secret(const struct stream *stream, uint8_t secret[256]);

/* What the MAC of |algorithm| has to be told before a record. */
struct stream_record {
    unsigned type, version, length, mode;
    OSSL_PARAM params[4];
};

/* |length| NULL: a signature counts by itself.  |record| is not to be copied. */
void stream_record(const struct algorithm *algorithm, const size_t *length,
                   struct stream_record *record);

/* The MAC of |algorithm| over the bytes alone; its size. */
size_t stream_raw_mac(const struct algorithm *algorithm, const uint8_t *key, size_t key_size,
                      const uint8_t *data, size_t size, uint8_t out[20]);

#endif
