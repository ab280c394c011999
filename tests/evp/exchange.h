/*
 * CryptoAPI's blobs through the provider: in by OSSL_DECODER, out by OSSL_ENCODER.  And what the
 * tests of the recorded blobs need beside it: the RSA keys of rsaenh-rsablob.txt as files, and RSA
 * by libcrypto alone, which shows what is inside of a simple blob.
 *
 * Everything here fails the running CMocka test when something is not as it should be.
 */
#ifndef SCHANNEL_TESTS_EVP_EXCHANGE_H
#define SCHANNEL_TESTS_EVP_EXCHANGE_H

#include "material.h"
#include "vectors.h"

#define SIMPLE_HEADER_SIZE 12
#define MAX_EXCHANGED      (SIMPLE_HEADER_SIZE + 512) /* a simple blob of RSA with 4096 bits */
#define MAX_KEY_BYTES      64

/* An RSA key that the vectors name. */
struct rsa_key {
    char name[16], alg[16];                 /* rsa1024a, RSA-KEYX */
    char private_file[96], public_file[96]; /* PRIVATEKEYBLOB and PUBLICKEYBLOB */
    EVP_PKEY *pkey;                         /* out of the integers, without either blob */
    size_t size;                            /* bytes of the modulus */
};

/* The group functions of the fixture, and the keys; and the keys alone. */
int exchange_setup(void **state);
int exchange_teardown(void **state);
void exchange_keys_setup(void);
void exchange_keys_teardown(void);

const struct rsa_key *rsa_key_named(const char *name);
/* What the fields RsaKey and RsaKeyAlg say. */
const struct rsa_key *rsa_key_of(const struct vectors *vectors);
/* Of any RSA key: its integers by libcrypto, files in |directory|; rsa_key_free removes them. */
struct rsa_key *rsa_key_new(struct vectors *vectors);
void rsa_key_free(struct rsa_key *key);

/* Raw RSA on what a simple blob has behind its header: the padded block, |key|->size bytes. */
void rsa_raw_block(const struct rsa_key *key, struct octets blob, uint8_t *block);
/* What is inside of a simple blob, without its padding; its size. */
size_t rsa_open_oaep(const struct rsa_key *key, struct octets blob, uint8_t *out);
size_t rsa_open_pkcs1(const struct rsa_key *key, struct octets blob, uint8_t *out);
/* A simple blob around any padded block of |key|->size bytes, which is below the modulus. */
size_t rsa_seal_block(const struct rsa_key *key, uint32_t alg_id, const uint8_t *block,
                      uint8_t *blob);
/* The same around |data|, padded with PKCS #1 v1.5; the padding is 0xaa. */
size_t rsa_seal(const struct rsa_key *key, uint32_t alg_id, struct octets data, uint8_t *blob);

/* The value of "alg" for KeyAlg of the vectors, and its ALG_ID. */
const char *alg_of(const struct vectors *vectors);
uint32_t alg_id_of(const char *alg);
int is_master(const char *alg);
int has_premaster(const char *alg);

/* Detection of |blob|, with the options of an import (NULL: none); NULL when it is refused. */
EVP_PKEY *decode_blob(struct octets blob, const struct list *options);
/* The same by the store: the blob in a file, the options in the URI. */
EVP_PKEY *store_blob(struct octets blob, const struct list *options);
/* An export to the blob type |type|, with its options; 0 when it is refused. */
size_t encode_blob(EVP_PKEY *key, const char *type, const struct list *options, uint8_t *out,
                   size_t room);

/* An exportable key of the bytes that a blob would hold. */
EVP_PKEY *make_exportable(const char *alg, struct octets bytes);
/* The raw export of such a key: its size. */
size_t key_bytes_of(EVP_PKEY *key, uint8_t out[MAX_KEY_BYTES]);
int raw_export_is_refused(EVP_PKEY *key);
/* CryptEncrypt with Final = |is_final|; the size of |out|. */
size_t crypt_encrypt(EVP_PKEY *key, int is_final, struct octets in, uint8_t *out, size_t room);

/* Fails on a field of the stanza that none of the |count| names is. */
void allow_fields(const struct vectors *vectors, const char *const *names, size_t count);
/*
 * The exportable |key| is what the fields |prefix| || "Key", "KeyBlob", "KeyLen" ... say: bytes,
 * bits, effective bits, block size, IV, salt, plaintext blob and, where there is a "Ciphertext",
 * what it encrypts "Plaintext" to.
 */
void expect_recorded_key(struct vectors *vectors, const char *prefix, EVP_PKEY *key);

/* How a file of vectors came out. */
struct verdicts {
    const char *file;
    unsigned passed, decided, left_out;
};

/* Is the record to be looked at?  Of a sample, see sample.h, many are not. */
int verdicts_want(struct verdicts *verdicts);
/* "FILE: N passed, M decided otherwise"; fails when these are not as many as expected. */
void verdicts_report(const struct verdicts *verdicts, unsigned passed, unsigned decided);

#endif
