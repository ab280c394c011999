/*
 * The four protocols as tests see them: what a master is made of, what it has and what it lacks.
 */
#ifndef SCHANNEL_TESTS_EVP_PROTOCOLS_H
#define SCHANNEL_TESTS_EVP_PROTOCOLS_H

#include "material.h"

#define RANDOM_SIZE   32
#define MAX_SECRET    48
#define MAX_MASTER    5000
#define CLEAR_SIZE    11
#define CERT_SIZE     22
#define MAX_KEY_BYTES 64

enum { PCT1 = 0, SSL2, SSL3, TLS1, PROTOCOLS };

struct protocol {
    const char *name; /* "PCT1" */
    const char *master, *kdf, *mac;
    size_t secret; /* bytes of the master secret or key used here */
    int has_premaster, has_mac_keys, has_clear_key, has_certificate;
};

extern const struct protocol protocols[PROTOCOLS];

/* The bytes that every master here is made of; |seed| changes the randoms. */
struct material {
    uint8_t secret[MAX_SECRET], client[RANDOM_SIZE], server[RANDOM_SIZE];
    uint8_t clear[CLEAR_SIZE], certificate[CERT_SIZE];
};

void make_material(struct material *material, unsigned seed);
/* The randoms. */
void add_randoms(struct list *list, const struct material *material);
/* Everything that a derivation of this protocol needs, for RC4 and MD5: a list for a KDF. */
void describe_derivation(struct list *list, const struct protocol *protocol,
                         const struct material *material);
/* The same as a master key, exportable. */
EVP_PKEY *new_master(const struct protocol *protocol, const struct material *material);

/* What EVP_PKEY_export tells of an exportable key. */
struct exported {
    uint8_t secret[MAX_MASTER]; /* or premaster */
    size_t size;
    int is_premaster;
};

void export_raw(EVP_PKEY *key, struct exported *exported);

/* |key| is made of the |size| bytes. */
void assert_made_of(EVP_PKEY *key, const uint8_t *bytes, size_t size);

#endif
