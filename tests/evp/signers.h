/*
 * The keys of signers.txt, with which signed blobs are signed in the tests: as files and as keys of
 * libcrypto's.
 */
#ifndef SCHANNEL_TESTS_EVP_SIGNERS_H
#define SCHANNEL_TESTS_EVP_SIGNERS_H

#include "exchange.h"

#define MAX_SIGNERS 8

struct signer {
    char name[16];
    char private_file[96], public_file[96]; /* PEM: values of signature-key */
    uint8_t spki[512];
    size_t spki_size;
    EVP_PKEY *pkey;
};

extern struct signer signers[MAX_SIGNERS];
extern size_t signer_count;

/* After the fixture's setup, before its teardown. */
void signers_setup(void);
void signers_teardown(void);
const struct signer *signer_named(const char *name);

#endif
