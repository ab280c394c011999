/*
 * What a golden master derives, against the formulas of golden_formula.h.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_DERIVED_H
#define SCHANNEL_TESTS_EVP_GOLDEN_DERIVED_H

#include "golden_opening.h"

/* Derives the keys of all four usages from |master| and works with each: the output has to be that
 * of OpenSSL under the key that it should be. */
void golden_derive_all(const struct golden_case *golden, EVP_PKEY *master);

/* 1 when the client's MAC key is the one that the case's master derives. */
int golden_derives_its_mac(const struct golden_case *golden, EVP_PKEY *master);

#endif
