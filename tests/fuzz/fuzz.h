/*
 * What the fuzz targets share.
 *
 * Each target is one file with the entry points of libFuzzer, which AFL++ knows too:
 * LLVMFuzzerInitialize and LLVMFuzzerTestOneInput.  The targets are linked with the objects that the
 * module is made of, so that a parser can be called by itself; the provider is loaded as well, for
 * those that go through EVP.  Whatever is not as it should be aborts.
 */
#ifndef SCHANNEL_TESTS_FUZZ_FUZZ_H
#define SCHANNEL_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include "blob/sealing_key.h"
#include "key/options.h"
#include "provctx.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Filled by fuzz_setup, kept until the process ends. */
struct fuzz {
    OSSL_LIB_CTX *libctx;         /* with the default, the legacy and this provider */
    struct provctx *provctx;      /* of this provider */
    struct sealing_key known_key; /* the sealing key of the golden blobs */
    char seal_key[16];            /* "fd:N", its name as a parameter */
};

extern struct fuzz fuzz;

void fuzz_setup(void);

/* Aborts when |condition| does not hold, with |what| should have been. */
void fuzz_expect(int condition, const char *what);
/* The same for two runs of bytes. */
void fuzz_expect_same(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                      const char *what);
/* A call that succeeded left no reason of the provider's on the error queue, one that failed exactly
 * one.  Others' errors are ignored.  Empties the queue; gives |ok| back. */
int fuzz_outcome(int ok);
/* How many reasons of the provider's are on the queue, which is empty afterwards. */
unsigned fuzz_reasons(void);

/* The next bytes of the input; zeros when there are no more. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

uint8_t fuzz_u8(struct fuzz_input *input);
/* As many as there are, at most |most|. */
struct octets fuzz_take(struct fuzz_input *input, size_t most);
/* A copy of |size| bytes as a string, which the caller frees with free. */
char *fuzz_text(const uint8_t *data, size_t size);

OSSL_PARAM fuzz_text_param(const char *name, const char *value);
OSSL_PARAM fuzz_octets_param(const char *name, const void *data, size_t size);

/*
 * A file without a name that holds |size| bytes: its path for this process goes to |path|.  The
 * descriptor stays open.
 */
int fuzz_file(const void *data, size_t size, char path[32]);
void fuzz_file_replace(int fd, const void *data, size_t size);

#endif
