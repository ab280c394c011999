/*
 * The ways in which the provider opens an opaque blob: as a key object, by a decoder, as the state
 * of a context.  Each gives NULL when the provider refuses.
 *
 * Sealing key and claim directory are this process's; golden_setup and golden_teardown are the group
 * functions of the tests of golden blobs, with those of the fixture inside.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_OPENING_H
#define SCHANNEL_TESTS_EVP_GOLDEN_OPENING_H

#include "fixture.h"
#include "golden_cases.h"

/* The value of "seal-key" of all golden blobs, and a claim directory. */
extern char golden_seal_key[], golden_claims[];

int golden_setup(void **state);
int golden_teardown(void **state);

/* Empties the claim directory: transfers open once more. */
void golden_forget_claims(void);
/* Name of the only claim there is; fails the test when there is another number than |count|. */
void golden_claim_name(size_t count, char name[128]);

/* |audience| NULL: none is named. */
EVP_PKEY *golden_import(const uint8_t *blob, size_t size, const char *audience);
/* |passphrase| NULL: there is none. */
EVP_PKEY *golden_decode(const uint8_t *blob, size_t size, const char *audience,
                        const char *passphrase);
/* By a decoder, or by import where there is a choice; fails the test when it does not open. */
EVP_PKEY *golden_open_key(const struct golden_case *golden, const uint8_t *blob, size_t size,
                          int by_decoder);
/* A cipher or MAC context that goes on where the blob was made. */
EVP_CIPHER_CTX *golden_resume_cipher(const struct golden_case *golden, const uint8_t *blob,
                                     size_t size);
EVP_MAC_CTX *golden_resume_mac(const struct golden_case *golden, const uint8_t *blob, size_t size);

EVP_CIPHER_CTX *golden_bind_cipher(EVP_PKEY *key, const char *alg, int encrypt);
/* |protocol|: whose MAC it is. */
EVP_MAC_CTX *golden_bind_mac(EVP_PKEY *key, unsigned protocol);

#endif
