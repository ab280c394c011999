/*
 * The formulas of the four protocols with EVP's digests: record MACs, and the keys of a golden
 * master.  Nothing of provider/ here.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_FORMULA_H
#define SCHANNEL_TESTS_EVP_GOLDEN_FORMULA_H

#include "golden_cases.h"

/* The MAC of the whole text: of the bytes alone, or of a record when the case's message is one.
 * The key is that of the case.  Returns its size. */
size_t golden_mac(const struct golden_case *golden, uint8_t out[20]);
/* Of any data under any key. */
size_t golden_raw_mac(unsigned protocol, unsigned digest, const uint8_t *key, size_t key_size,
                      const uint8_t *data, size_t size, uint8_t out[20]);

/* What a master derives: the client's first.  An IV that is not derived is zeros. */
struct golden_keys {
    uint8_t mac[2][40], key[2][32], iv[2][16];
    size_t mac_size, key_size, iv_size;
};

void golden_derive(const struct golden_case *golden, struct golden_keys *keys);

#endif
