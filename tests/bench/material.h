/*
 * What the jobs of the benchmark work on, and the calls that most of them make: known keys, randoms
 * and data, parameters, key objects.  Mistakes end the program: see die in timing.h.
 */
#ifndef SCHANNEL_TESTS_BENCH_MATERIAL_H
#define SCHANNEL_TESTS_BENCH_MATERIAL_H

#include <stddef.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <schannel/names.h>

#define MASTER_SIZE  48
#define RANDOM_SIZE  32
#define HANDLE_SIZE  16
#define MAX_DATA     16384
#define KEY_COUNT    4 /* of a connection: two that encrypt, two that authenticate */
#define MAX_BLOB     512
#define MAX_MAC_SIZE 20

extern const unsigned char known_master[MASTER_SIZE];
extern const unsigned char known_random[RANDOM_SIZE];

/* |value| is only read. */
OSSL_PARAM octets(const char *name, const void *value, size_t size);
OSSL_PARAM text(const char *name, const char *value);

/* A key of known bytes; |digest| NULL: it has none. */
EVP_PKEY *make_key(const char *algorithm, const char *digest, size_t size);
/* A master of TLS 1.0 for AES-128-CBC and SHA-1, with randoms. */
EVP_PKEY *make_master(void);
/* The keys of a connection of TLS 1.0 with AES-128-CBC and SHA-1, sealed with the runtime key. */
void make_connection(EVP_PKEY *keys[KEY_COUNT]);
void free_connection(EVP_PKEY *keys[KEY_COUNT]);
void get_handle(EVP_PKEY *key, unsigned char handle[HANDLE_SIZE]);

/* Bytes to work on, zeroed: one buffer for each job.  Freed with OPENSSL_free. */
unsigned char *make_data(void);

#endif
