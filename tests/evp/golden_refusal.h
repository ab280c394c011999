/*
 * Blobs that the provider has to refuse: each comes in memory of exactly its size, so that
 * AddressSanitizer sees what reads outside, and has to leave exactly one reason.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_REFUSAL_H
#define SCHANNEL_TESTS_EVP_GOLDEN_REFUSAL_H

#include "golden_opening.h"

/* 1 when the provider opens it, in the way that is the case's: as a key, with the passphrase, or as
 * the state of a context. */
int golden_opens(const struct golden_case *golden, const uint8_t *blob, size_t size);

/* |what| (printf) names the change if the provider opens the blob or gives another |reason|. */
void golden_refuse(const struct golden_case *golden, const uint8_t *blob, size_t size,
                   const char *reason, const char *what, ...) __attribute__((format(printf, 5, 6)));

/* Seals under the case's own key, then as above. */
void golden_refuse_sealed(const struct golden_case *golden, const struct golden_header *header,
                          const struct golden_bytes *payload, const char *reason, const char *what,
                          unsigned long long value);

/* The nth case, NULL for those that cost 10,000 iterations each time. */
const struct golden_case *golden_nth(size_t n);

/* Fails the test if any was opened; prints how many were refused since the last call. */
void golden_refused_all(void);

#endif
