/*
 * Error reasons of the provider, and the one way to raise them.
 *
 * Every failure that reaches the provider puts exactly one of these reasons on the caller's
 * OpenSSL error queue, with a sentence that says which parameter or field, what was expected
 * and what came.  The sentence never holds a secret.
 *
 * Used by every room of the provider.  This header does not need <openssl/core_dispatch.h>,
 * so that blob/ and key/ can raise errors without knowing the core.
 */
#ifndef SCHANNEL_PROVIDER_ERRORS_H
#define SCHANNEL_PROVIDER_ERRORS_H

#include <openssl/core.h>
#include <openssl/types.h>

/* Numbers are part of the interface: add at the end, never renumber. */
enum schannel_reason {
    SCHANNEL_R_MISSING_PARAMETER = 1,
    SCHANNEL_R_INVALID_PARAMETER,
    SCHANNEL_R_INVALID_LENGTH,
    SCHANNEL_R_UNKNOWN_ALGORITHM,
    SCHANNEL_R_UNKNOWN_USAGE,
    SCHANNEL_R_CONFLICTING_PARAMETERS,
    SCHANNEL_R_WRONG_KIND_OF_KEY,
    SCHANNEL_R_KEY_RETIRED,
    SCHANNEL_R_NOT_EXPORTABLE,
    SCHANNEL_R_NO_PUBLIC_PART,
    SCHANNEL_R_UNKNOWN_KEY_HANDLE,
    SCHANNEL_R_NO_KEY,
    SCHANNEL_R_PARTIAL_BLOCK,
    SCHANNEL_R_BAD_DECRYPT,
    SCHANNEL_R_OUTPUT_TOO_SMALL,
    SCHANNEL_R_RECORD_LENGTH_MISMATCH,
    SCHANNEL_R_SEQUENCE_EXHAUSTED,
    SCHANNEL_R_NOT_SUPPORTED,
    SCHANNEL_R_MALFORMED_BLOB,
    SCHANNEL_R_UNSUPPORTED_BLOB_VERSION,
    SCHANNEL_R_SEALED_WITH_ANOTHER_KEY,
    SCHANNEL_R_SEAL_DOES_NOT_VERIFY,
    SCHANNEL_R_SEALING_KEY_UNREADABLE,
    SCHANNEL_R_SEALING_KEY_EXPOSED,
    SCHANNEL_R_SEALING_KEY_INVALID,
    SCHANNEL_R_NO_STATE_DIRECTORY,
    SCHANNEL_R_ALGORITHM_UNAVAILABLE,
    SCHANNEL_R_OUT_OF_MEMORY,
    SCHANNEL_R_LIBCRYPTO_FAILURE,
    SCHANNEL_R_NO_PASSPHRASE,
    SCHANNEL_R_BLOB_EXPIRED,
    SCHANNEL_R_BLOB_ALREADY_OPENED,
    SCHANNEL_R_WRONG_AUDIENCE,
    SCHANNEL_R_CLAIM_NOT_RECORDED,
    SCHANNEL_R_INHERITED_OVER_FORK,
    SCHANNEL_R_UNKNOWN_BLOB_TYPE,
    SCHANNEL_R_KEY_ARGUMENT_UNREADABLE,
    SCHANNEL_R_BLOB_DOES_NOT_OPEN,
    SCHANNEL_R_PLAINTEXT_NOT_ALLOWED,
    SCHANNEL_R_WRONG_SIGNER,
    SCHANNEL_R_SIGNATURE_DOES_NOT_VERIFY,
    SCHANNEL_R_WRONG_PURPOSE,
    SCHANNEL_R_WRONG_SERIAL,
    SCHANNEL_R_WRONG_MESSAGE,
    SCHANNEL_R_SIGNATURE_TOO_OLD,
    SCHANNEL_R_FILE_UNREADABLE,
    SCHANNEL_R_NOT_SIGNED
};

#define ERRORS_SENTENCE_SIZE 701 /* what is longer loses its middle */

/* Where errors go; holds the core's upcalls.  Immutable after errors_new, safe from any thread. */
struct errors;
struct trace;

/* Takes the core's error functions out of |in|.  NULL only when memory is out. */
struct errors *errors_new(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in);
void errors_free(struct errors *errors);
/* Diagnostics that each error shows in as well, borrowed: while the provider is initialised. */
void errors_set_trace(struct errors *errors, const struct trace *trace);

/* The table that OSSL_FUNC_PROVIDER_GET_REASON_STRINGS returns. */
const OSSL_ITEM *errors_reason_strings(void);

/* Puts |reason| and the printf-formatted sentence on the caller's error queue; |errors| NULL raises
 * nothing. */
void errors_raise(const struct errors *errors, const char *file, int line, const char *function,
                  enum schannel_reason reason, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Around a call that may raise what is no error: errors_unmark drops what was raised since errors_mark,
 * or keeps it.  On the core's queue, which has what we and other providers raise.  Where this module is
 * linked with another libcrypto than the core, what that one raises is on a queue that nobody reads. */
void errors_mark(const struct errors *errors);
void errors_unmark(const struct errors *errors, int keep);

/* What was raised last. */
struct error_heard {
    int reason; /* 0: nothing */
    char sentence[ERRORS_SENTENCE_SIZE];
};
/* From now on *heard is what this thread raised last; NULL: no more.  Reading it on the queue would not
 * do: that of the core may be another libcrypto's.  Memory may be out: then nothing is heard. */
void errors_hear(const struct errors *errors, struct error_heard *heard);

/* What the system says of an errno: strerror itself need not be safe in threads. */
struct system_text {
    char text[96];
};
const char *errors_system_text(int error, struct system_text *text);
/* A string that lives as long as the block it stands in. */
#define SYSTEM_TEXT(error) errors_system_text((error), &(struct system_text){ "" })

/* An inner fetch of |name| found nothing: says whether the default properties are the cause.  0. */
int errors_raise_unavailable(const struct errors *errors, OSSL_LIB_CTX *libctx, const char *name);
/* The random number generator failed.  0. */
int errors_raise_no_random(const struct errors *errors, OSSL_LIB_CTX *libctx, const char *purpose);

/* Visible to the compiler, so that it knows which way a failing function goes. */
static inline int errors_zero(void)
{
    return 0;
}

/* errors_raise from here; its value is 0, so that a failing function can end with return RAISE(...) */
#define RAISE(errors, reason, ...)                                                                 \
    (errors_raise((errors), OPENSSL_FILE, OPENSSL_LINE, OPENSSL_FUNC, (reason), __VA_ARGS__),      \
     errors_zero())

#endif
