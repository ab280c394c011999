/*
 * What a key should be and do: the model that the stateful target compares the provider with.
 *
 * Made of OpenSSL's own ciphers, digests and TLS1-PRF and of the formulas of the RFCs; nothing of the
 * provider is called.  A model key has the whole state of one key object, or of a context with key
 * bytes of its own.
 */
#ifndef SCHANNEL_TESTS_FUZZ_MODEL_H
#define SCHANNEL_TESTS_FUZZ_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include "primitive/octets.h"

#define MODEL_MAX_SECRET  64
#define MODEL_MAX_BLOCK   16
#define MODEL_MAX_MESSAGE 512 /* bytes that a MAC absorbs, a header among them */
#define MODEL_MAX_MAC     20
#define MODEL_SALT_SIZE   11
#define MODEL_RANDOM_SIZE 32
#define MODEL_HANDLE_SIZE 16

enum model_kind { MODEL_MASTER, MODEL_CIPHER, MODEL_MAC };
enum model_protocol { MODEL_PCT1 = 1, MODEL_SSL2, MODEL_SSL3, MODEL_TLS1 };
enum model_direction { MODEL_NONE, MODEL_ENCRYPT, MODEL_DECRYPT };

struct model_algorithm {
    const char *name; /* value of "alg" */
    enum model_kind kind;
    size_t key_size, salt_size;
    size_t block;                 /* of ciphers; 1: a stream */
    enum model_protocol protocol; /* of masters and MACs */
    const char *digest;           /* of MACs */
};

/* Ciphers first, then MACs, then masters. */
#define MODEL_ALGORITHMS 19
#define MODEL_CIPHERS    10
#define MODEL_MACS       7
extern const struct model_algorithm model_algorithms[MODEL_ALGORITHMS];

struct model_key {
    unsigned references; /* of EVP objects: 0, and its handle is unknown */
    int has_handle;      /* it was asked for: the copies that contexts make have none */
    const struct model_algorithm *algorithm;
    uint8_t handle[MODEL_HANDLE_SIZE];
    int is_retired, is_exportable;
    uint8_t secret[MODEL_MAX_SECRET + MODEL_SALT_SIZE]; /* with the salt behind it */
    size_t secret_size;                                 /* without it */

    /* ciphers */
    uint8_t iv[MODEL_MAX_BLOCK], chain[MODEL_MAX_BLOCK], buffer[MODEL_MAX_BLOCK];
    size_t buffered;
    enum model_direction direction; /* of what is buffered */
    uint64_t position;

    /* MACs */
    uint64_t sequence;
    int is_absorbing, is_record;
    unsigned record_length;
    size_t absorbed, message_size; /* without the record's header, and with it */
    uint8_t message[MODEL_MAX_MESSAGE];

    /* masters */
    int is_converted; /* |secret| is the master secret and not the premaster secret */
    uint8_t client_random[MODEL_RANDOM_SIZE], server_random[MODEL_RANDOM_SIZE];
};

/* What a MAC context says of its records. */
struct model_record {
    int is_enabled, has_type, has_version, has_length;
    unsigned type, version, length;
};

void model_setup(void);

/* ---- ciphers: 1, or 0 and nothing changed ---- */

void model_set_iv(struct model_key *key, const uint8_t *iv);
int model_update(struct model_key *key, int encrypt, int padding, const uint8_t *in, size_t size,
                 uint8_t *out, size_t *written);
int model_final(struct model_key *key, int encrypt, int padding, uint8_t *out, size_t *written);
/* CryptEncrypt and CryptDecrypt of a whole message. */
int model_message(struct model_key *key, int encrypt, const uint8_t *in, size_t size, uint8_t *out,
                  size_t *written);

/* ---- MACs: likewise ---- */

size_t model_mac_size(const struct model_key *key);
int model_absorb(struct model_key *key, struct model_record *record, const uint8_t *data,
                 size_t size);
int model_finish(struct model_key *key, struct model_record *record, uint8_t *mac);
/* A message of a signature context, which is not the one that the key absorbs. */
int model_sign(struct model_key *key, const struct model_record *record, const uint8_t *data,
               size_t size, uint8_t *mac);
/* The largest number that can be set. */
uint64_t model_largest_sequence(const struct model_key *key);

/* ---- masters ---- */

/* The premaster secret becomes the master secret, once. */
void model_convert(struct model_key *master);
/* A key of the key block that |cipher| and |digest| make; |key| is empty. */
void model_derive(const struct model_key *master, const struct model_algorithm *cipher,
                  const char *digest, int is_mac, int is_server, struct model_key *key);

/* Bytes alone do not tell its state. */
int model_is_running(const struct model_key *key);

#endif
