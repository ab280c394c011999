/*
 * Keys and numbers for the tests of the four protocols: lists of parameters, generation from a
 * template, getters that fail the test, random numbers that are the same in every run.
 */
#ifndef SCHANNEL_TESTS_EVP_MATERIAL_H
#define SCHANNEL_TESTS_EVP_MATERIAL_H

#include "fixture.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MAX_PARAMS   20

/* Parameters with room for their numbers: not to be copied.  Text and octets are borrowed. */
struct list {
    size_t count;
    OSSL_PARAM params[MAX_PARAMS];
    uint64_t numbers[MAX_PARAMS];
};

void list_start(struct list *list);
void add_text(struct list *list, const char *name, const char *value);
void add_octets(struct list *list, const char *name, const void *data, size_t size);
void add_number(struct list *list, const char *name, uint64_t number);
void drop(struct list *list, const char *name);

/* xorshift64: less than |limit|. */
size_t random_below(size_t limit);
void random_bytes(uint8_t *out, size_t size);

/* A generation context of |from|, or of none, with |list|, or without. */
EVP_PKEY_CTX *new_generation(EVP_PKEY *from, const struct list *list);
/* NULL when the provider refuses. */
EVP_PKEY *generate_next(EVP_PKEY_CTX *context);
EVP_PKEY *generate_from(EVP_PKEY *from, const struct list *list);

/* What an algorithm needs: "alg", "secret" and, unless it is NULL, "digest". */
EVP_PKEY *make_key(const char *alg, const char *digest, const uint8_t *secret, size_t size);

int set_number(EVP_PKEY *key, const char *name, uint64_t number);
int set_octets(EVP_PKEY *key, const char *name, const void *data, size_t size);
int set_text(EVP_PKEY *key, const char *name, const char *value);
uint64_t number_of(EVP_PKEY *key, const char *name);
/* The size; |out| has |room| bytes. */
size_t octets_of(EVP_PKEY *key, const char *name, uint8_t *out, size_t room);
void assert_text_of(EVP_PKEY *key, const char *name, const char *expected);

/* The KDF |name| gives |size| bytes. */
void derive_bytes(const char *name, const struct list *list, uint8_t *out, size_t size);

/* libcrypto's digest of |size| bytes; gives the digest's size. */
size_t hash(const char *digest, const uint8_t *data, size_t size, uint8_t *out);

/* The group's setup of each test. */
int starts_with_a_clean_queue(void **state);

#endif
