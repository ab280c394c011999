/*
 * What the tests through EVP share: a library context with the default, the legacy and this
 * provider, sealing keys in a directory of the test's own, and the checks of the error queue.
 *
 * Everything here fails the running CMocka test when something is not as it should be.
 */
#ifndef SCHANNEL_TESTS_EVP_FIXTURE_H
#define SCHANNEL_TESTS_EVP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <schannel/names.h>

/* 1 in a build with AddressSanitizer, of either compiler. */
#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#ifndef WITH_SANITIZER
#define WITH_SANITIZER 0
#endif

#define KEY_HANDLE_SIZE 16
#define MAX_BLOB        1024

/* Between fixture_setup and fixture_teardown, the group functions of every test program here. */
extern OSSL_LIB_CTX *libctx;
/* A directory of this process; two values of "seal-key" with different keys in it. */
extern char directory[], seal_key_a[], seal_key_b[];

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* The files alone: for a test that loads providers by itself. */
int fixture_files(void **state);
int fixture_remove_files(void **state);

/*
 * The error queue holds exactly one error of the provider's, with this |reason|, and its sentence
 * contains |detail|.  NULL for |reason| takes any.  Errors of the core's are ignored, and the queue
 * is empty afterwards.
 */
void assert_reason(const char *reason, const char *detail);
/* No error of the provider's is on the queue, which is empty afterwards; libcrypto 3.5 and later
 * have one of their own for a signature that does not verify. */
void assert_no_reason(void);
/* Nothing is on the error queue. */
void assert_no_errors(void);

OSSL_PARAM text_param(const char *name, const char *value);
OSSL_PARAM octets_param(const char *name, const void *data, size_t size);
/* |size| bytes that differ with |seed| and from byte to byte. */
void pattern(uint8_t *out, size_t size, unsigned seed);

/* EVP_PKEY_fromdata; NULL when the provider refuses.  The caller frees. */
EVP_PKEY *from_data(OSSL_PARAM params[]);
void get_id(EVP_PKEY *key, char id[32]);
void get_handle(EVP_PKEY *key, uint8_t handle[KEY_HANDLE_SIZE]);

/* Export and import by the parameter "opaque-blob"; import gives NULL when the provider refuses. */
size_t export_blob(EVP_PKEY *key, uint8_t blob[MAX_BLOB]);
EVP_PKEY *import_blob(const uint8_t *blob, size_t size, const char *seal_key);

#endif
