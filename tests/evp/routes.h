/*
 * All ways in which a blob of CryptoAPI's comes in, and what has to become of one that is refused.
 */
#ifndef SCHANNEL_TESTS_EVP_ROUTES_H
#define SCHANNEL_TESTS_EVP_ROUTES_H

#include "exchange.h"

enum route {
    BY_DECODER,     /* OSSL_DECODER, detection */
    BY_PEM_DECODER, /* the same under a PEM label */
    BY_STORE,       /* schannel:FILE?... */
    BY_PEM_READER,  /* PEM_read_bio_PrivateKey_ex: no options */
    BY_D2I,         /* d2i_AutoPrivateKey_ex: no options */
    ROUTES
};

/* The group functions of exchange.h, and two keys that nobody touches; and these keys alone. */
int routes_setup(void **state);
int routes_teardown(void **state);
void witness_setup(void);
void witness_teardown(void);
/* Fails the test unless they still encrypt alike, each where it was. */
void witness_goes_on(void);

/* 1 when the options of an import reach it. */
int route_has_options(enum route route);
int route_is_pem(enum route route);
/* |blob| is copied to memory of exactly its size.  NULL when it is refused. */
EVP_PKEY *read_by(enum route route, const char *label, struct octets blob,
                  const struct list *options);

/*
 * Reads |blob| by |route|, which must refuse it for |reason|, one of ours and no other; NULL: it is
 * not ours, and none of ours is on the queue.  |what| (printf) says what was done to the blob.
 */
void refuse_by(enum route route, const char *label, struct octets blob, const struct list *options,
               const char *reason, const char *what, ...) __attribute__((format(printf, 6, 7)));
/* Reads a blob that has to open. */
EVP_PKEY *open_by(enum route route, const char *label, struct octets blob,
                  const struct list *options);

/* Prints how many were refused by each route since the last call, with |title|. */
void refused_all(const char *title);

#endif
