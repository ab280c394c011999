/*
 * The golden signed blobs: what each blob of tests/vectors/golden-signed-v1.txt holds.
 *
 * Never change a case: format version 1 is frozen.  New ones go to the end.
 */
#ifndef SCHANNEL_TESTS_EVP_SIGNED_CASES_H
#define SCHANNEL_TESTS_EVP_SIGNED_CASES_H

#include "golden_opening.h"
#include "signed_format.h"
#include "signers.h"

#define SIGNED_CREATED 1700000000u /* 14 November 2023 */

enum inner_type { INNER_OPAQUE, INNER_SIMPLE, INNER_PLAINTEXT };

struct signed_case {
    const char *name, *signer;
    enum inner_type inner;
    const char *alg; /* of the key inside; opaque: the golden case "aes-128-mid-chain" */
    size_t key_size;
    const char *recipients[17]; /* RSA keys of the vectors, of a simple blob: at least one */
    size_t purpose_size;        /* 0: "storage" */
    size_t serial_size, message_hash_size;
};

extern const struct signed_case signed_cases[];
extern const size_t signed_case_count;

const struct signed_case *signed_case_named(const char *name);
/* The key bytes inside of a simple or plaintext blob, which follow from the name. */
void signed_case_key(const struct signed_case *golden, uint8_t key[MAX_KEY_BYTES]);
/* Text of purpose_size characters, or "storage". */
void signed_case_purpose(const struct signed_case *golden, char purpose[65]);
void signed_case_octets(const struct signed_case *golden, const char *label, size_t size,
                        uint8_t *out);
/* Everything but the signature, by the second implementation. */
void signed_case_format(const struct signed_case *golden, struct signed_format *format);

#endif
