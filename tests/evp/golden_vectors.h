/*
 * The file of golden blobs: tests/vectors/golden-opaque-v1.txt.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_VECTORS_H
#define SCHANNEL_TESTS_EVP_GOLDEN_VECTORS_H

#include "golden_opening.h"
#include "vectors.h"

/* Calls |check| with each stanza, its case and its blob; no transfer has been claimed then. */
void golden_for_each(void (*check)(struct vectors *, const struct golden_case *, struct octets));

/* Prints the file as it has to be; the exit status. */
int golden_write_file(void);

#endif
