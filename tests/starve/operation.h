/*
 * Operations of the provider, one row each: what is made before, what is done while something may
 * fail, what comes out.  The rows are in operations_*.c; test_starvation runs them.
 *
 * Nothing in prepare and release fails on purpose; there an assertion ends the test.  An act uses no
 * assertions, and when it fails it has freed everything that it made.
 */
#ifndef SCHANNEL_TESTS_STARVE_OPERATION_H
#define SCHANNEL_TESTS_STARVE_OPERATION_H

#include "material.h"

#include <openssl/core_dispatch.h>
#include <openssl/kdf.h>

#define MAX_IN   4096
#define MAX_OUT  1024
#define MAX_TEXT 1024

/*
 * Parameters as a line of text, "name=value name=value": #N is a number, *N are N octets, <PATH
 * the octets of a file, anything else is text; @ is the directory of the test.
 */
struct spec {
    struct list list;
    char text[MAX_TEXT];
    uint8_t octets[MAX_OUT];
    size_t used_text, used_octets;
};

/* NULL is the empty line. */
void spec_read(struct spec *spec, const char *line);
/* |text| with the directory put in. */
void spec_expand(char *out, size_t size, const char *text);

struct scene {
    struct spec spec; /* read from the row */
    EVP_PKEY *key;    /* made from the row's |key| */
    EVP_PKEY *made;   /* what an act made, when it succeeded */
    EVP_PKEY_CTX *operation;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    EVP_KDF_CTX *kdf;
    EVP_MD_CTX *digest;
    struct evp_skey_st *skey;
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *provider;
    uint8_t in[MAX_IN]; /* a blob, a signature or a ciphertext */
    size_t in_size;
    uint8_t out[MAX_OUT]; /* what an act gave: the same each time */
    size_t out_size;
};

enum {
    IS_COLD = 1,  /* needs a library context of its own for every run */
    IS_SPENT = 2, /* a failed file call may use it up, as a transfer whose claim is half recorded */
    IS_WHOLE = 64,   /* with all that libcrypto does on the way, see enum detour */
    OPENS_KEYS = 32, /* key files, and other rows starve the opening of these: not counted here */
    IS_A_MODULE =
        128,       /* runs the module, not the objects of this program: for its allocations only */
    IS_LOAD = 16,  /* the provider is not there yet: the reason is libcrypto's */
    IS_RANDOM = 8, /* the key that is made is another one each time */
};

struct operation {
    const char *name;
    const char *key;                                           /* a line for fromdata, or NULL */
    void (*prepare)(struct scene *, const struct operation *); /* or NULL */
    int (*act)(struct scene *, const struct operation *);      /* 1, or 0 */
    const char *detail;                                        /* algorithm, type or path */
    const char *spec;                                          /* for the act */
    const char *before;                                        /* for prepare */
    void (*release)(struct scene *, const struct operation *); /* or NULL: frees the scene */
    unsigned flags;
};

struct operations {
    const struct operation *rows;
    size_t count;
};

struct operations key_operations(void);
struct operations derivation_operations(void);
struct operations context_operations(void);
struct operations message_operations(void);
struct operations blob_operations(void);
struct operations file_operations(void);
struct operations skey_operations(void); /* none before OpenSSL 3.5 */

/* A directory and everything in it, @ as in a line of parameters. */
void remove_directory(const char *name);

/* Adds to what came out. */
void give(struct scene *scene, const void *data, size_t size);
void give_number(struct scene *scene, uint64_t number);
/* Every object of the scene but |context| and |provider|. */
void scene_free(struct scene *scene);
/* What |scene|->made is, as far as a key of the same bytes would be the same, goes to |out|. */
void give_made(struct scene *scene);

/* The options of an export are |before|, its type is |detail|; the blob goes to |in|. */
void prepare_blob(struct scene *scene, const struct operation *operation);
int act_encode(struct scene *scene, const struct operation *operation);
int act_duplicate(struct scene *scene, const struct operation *operation);
int act_export(struct scene *scene, const struct operation *operation);

extern OSSL_provider_init_fn OSSL_provider_init;
/* A library context with the default, the legacy and this provider in |libctx|; and its end. */
OSSL_LIB_CTX *context_open(OSSL_PROVIDER *providers[3]);
void context_close(OSSL_LIB_CTX *context, OSSL_PROVIDER *providers[3]);

#endif
