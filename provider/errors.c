/* Error reasons and raising them: see errors.h. */
#include "errors.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "trace.h"

#define MAX_SENTENCE (ERRORS_SENTENCE_SIZE - 1)

struct errors {
    const OSSL_CORE_HANDLE *core;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_set_error_debug_fn *set_error_debug;
    OSSL_FUNC_core_vset_error_fn *vset_error;
    OSSL_FUNC_core_set_error_mark_fn *set_mark;
    OSSL_FUNC_core_clear_last_error_mark_fn *clear_mark;
    OSSL_FUNC_core_pop_error_to_mark_fn *pop_to_mark;
    pthread_key_t heard; /* struct error_heard of a thread that hears what it raises */
    const struct trace *trace;
};

struct errors *errors_new(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in)
{
    struct errors *errors = OPENSSL_zalloc(sizeof(*errors));

    if (errors == NULL || pthread_key_create(&errors->heard, NULL) != 0) {
        OPENSSL_free(errors);
        return NULL;
    }
    errors->core = core;
    for (; in->function_id != 0; in++) {
        if (in->function_id == OSSL_FUNC_CORE_NEW_ERROR)
            errors->new_error = OSSL_FUNC_core_new_error(in);
        else if (in->function_id == OSSL_FUNC_CORE_SET_ERROR_DEBUG)
            errors->set_error_debug = OSSL_FUNC_core_set_error_debug(in);
        else if (in->function_id == OSSL_FUNC_CORE_VSET_ERROR)
            errors->vset_error = OSSL_FUNC_core_vset_error(in);
        else if (in->function_id == OSSL_FUNC_CORE_SET_ERROR_MARK)
            errors->set_mark = OSSL_FUNC_core_set_error_mark(in);
        else if (in->function_id == OSSL_FUNC_CORE_CLEAR_LAST_ERROR_MARK)
            errors->clear_mark = OSSL_FUNC_core_clear_last_error_mark(in);
        else if (in->function_id == OSSL_FUNC_CORE_POP_ERROR_TO_MARK)
            errors->pop_to_mark = OSSL_FUNC_core_pop_error_to_mark(in);
    }
    return errors;
}

void errors_free(struct errors *errors)
{
    if (errors == NULL)
        return;
    (void)pthread_key_delete(errors->heard);
    OPENSSL_free(errors);
}

void errors_set_trace(struct errors *errors, const struct trace *trace)
{
    errors->trace = trace;
}

const OSSL_ITEM *errors_reason_strings(void)
{
    static const OSSL_ITEM reasons[] = {
        { SCHANNEL_R_MISSING_PARAMETER, (void *)"missing parameter" },
        { SCHANNEL_R_INVALID_PARAMETER, (void *)"invalid parameter" },
        { SCHANNEL_R_INVALID_LENGTH, (void *)"invalid length" },
        { SCHANNEL_R_UNKNOWN_ALGORITHM, (void *)"unknown algorithm" },
        { SCHANNEL_R_UNKNOWN_USAGE, (void *)"unknown usage" },
        { SCHANNEL_R_CONFLICTING_PARAMETERS, (void *)"conflicting parameters" },
        { SCHANNEL_R_WRONG_KIND_OF_KEY, (void *)"wrong kind of key" },
        { SCHANNEL_R_KEY_RETIRED, (void *)"key has been retired" },
        { SCHANNEL_R_NOT_EXPORTABLE, (void *)"key is not exportable" },
        { SCHANNEL_R_NO_PUBLIC_PART, (void *)"key has no public part" },
        { SCHANNEL_R_UNKNOWN_KEY_HANDLE, (void *)"unknown key handle" },
        { SCHANNEL_R_NO_KEY, (void *)"no key" },
        { SCHANNEL_R_PARTIAL_BLOCK, (void *)"partial block" },
        { SCHANNEL_R_BAD_DECRYPT, (void *)"bad decrypt" },
        { SCHANNEL_R_OUTPUT_TOO_SMALL, (void *)"output buffer too small" },
        { SCHANNEL_R_RECORD_LENGTH_MISMATCH, (void *)"record length mismatch" },
        { SCHANNEL_R_SEQUENCE_EXHAUSTED, (void *)"sequence numbers exhausted" },
        { SCHANNEL_R_NOT_SUPPORTED, (void *)"not supported by this release" },
        { SCHANNEL_R_MALFORMED_BLOB, (void *)"malformed blob" },
        { SCHANNEL_R_UNSUPPORTED_BLOB_VERSION, (void *)"unsupported blob version" },
        { SCHANNEL_R_SEALED_WITH_ANOTHER_KEY, (void *)"sealed with another key" },
        { SCHANNEL_R_SEAL_DOES_NOT_VERIFY, (void *)"seal does not verify" },
        { SCHANNEL_R_SEALING_KEY_UNREADABLE, (void *)"sealing key cannot be read" },
        { SCHANNEL_R_SEALING_KEY_EXPOSED, (void *)"sealing key is exposed to others" },
        { SCHANNEL_R_SEALING_KEY_INVALID, (void *)"sealing key is invalid" },
        { SCHANNEL_R_NO_STATE_DIRECTORY, (void *)"no directory for the sealing key" },
        { SCHANNEL_R_ALGORITHM_UNAVAILABLE, (void *)"algorithm is not available" },
        { SCHANNEL_R_OUT_OF_MEMORY, (void *)"out of memory" },
        { SCHANNEL_R_LIBCRYPTO_FAILURE, (void *)"libcrypto failed" },
        { SCHANNEL_R_NO_PASSPHRASE, (void *)"no passphrase" },
        { SCHANNEL_R_BLOB_EXPIRED, (void *)"blob has expired" },
        { SCHANNEL_R_BLOB_ALREADY_OPENED, (void *)"blob was opened before" },
        { SCHANNEL_R_WRONG_AUDIENCE, (void *)"blob is for another audience" },
        { SCHANNEL_R_CLAIM_NOT_RECORDED, (void *)"claim cannot be recorded" },
        { SCHANNEL_R_INHERITED_OVER_FORK, (void *)"key was inherited over fork" },
        { SCHANNEL_R_UNKNOWN_BLOB_TYPE, (void *)"unknown blob type" },
        { SCHANNEL_R_KEY_ARGUMENT_UNREADABLE, (void *)"exchange or signature key cannot be read" },
        { SCHANNEL_R_BLOB_DOES_NOT_OPEN, (void *)"blob does not open" },
        { SCHANNEL_R_PLAINTEXT_NOT_ALLOWED, (void *)"key bytes in the clear are not allowed" },
        { SCHANNEL_R_WRONG_SIGNER, (void *)"blob was signed by another key" },
        { SCHANNEL_R_SIGNATURE_DOES_NOT_VERIFY, (void *)"signature does not verify" },
        { SCHANNEL_R_WRONG_PURPOSE, (void *)"blob was signed for another purpose" },
        { SCHANNEL_R_WRONG_SERIAL, (void *)"blob has another serial" },
        { SCHANNEL_R_WRONG_MESSAGE, (void *)"blob belongs to another message" },
        { SCHANNEL_R_SIGNATURE_TOO_OLD, (void *)"signature is too old" },
        { SCHANNEL_R_FILE_UNREADABLE, (void *)"file cannot be read" },
        { SCHANNEL_R_NOT_SIGNED, (void *)"blob is not signed" },
        { 0, NULL },
    };

    return reasons;
}

static const char *reason_name(enum schannel_reason reason)
{
    const OSSL_ITEM *item = errors_reason_strings();

    while (item->ptr != NULL && item->id != (unsigned)reason)
        item++;
    return item->ptr != NULL ? item->ptr : "?";
}

static void set_error(const struct errors *errors, enum schannel_reason reason, const char *format,
                      ...)
{
    va_list arguments;

    va_start(arguments, format);
    errors->vset_error(errors->core, (uint32_t)reason, format, arguments);
    va_end(arguments);
}

/* libcrypto drops a sentence of more than about 1,000 characters: a long one loses its middle, which
 * is a path. */
static void shorten(char *text)
{
    size_t length = strlen(text), tail = MAX_SENTENCE / 2;

    if (length <= MAX_SENTENCE)
        return;
    memcpy(text + MAX_SENTENCE - tail - 3, "...", 3);
    memmove(text + MAX_SENTENCE - tail, text + length - tail, tail + 1);
}

void errors_raise(const struct errors *errors, const char *file, int line, const char *function,
                  enum schannel_reason reason, const char *format, ...)
{
    char text[2 * PATH_MAX + MAX_SENTENCE]; /* the path in a URI can be that long */
    struct error_heard *heard;
    va_list arguments;

    if (errors == NULL || errors->new_error == NULL || errors->vset_error == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    shorten(text);
    errors->new_error(errors->core);
    if (errors->set_error_debug != NULL)
        errors->set_error_debug(errors->core, file, line, function);
    set_error(errors, reason, "%s", text);
    if ((heard = pthread_getspecific(errors->heard)) != NULL) {
        heard->reason = (int)reason;
        OPENSSL_strlcpy(heard->sentence, text, sizeof(heard->sentence));
    }
    trace_write(errors->trace, "error: %s: %s", reason_name(reason), text);
}

void errors_mark(const struct errors *errors)
{
    if (errors->set_mark != NULL)
        errors->set_mark(errors->core);
}

void errors_unmark(const struct errors *errors, int keep)
{
    if (keep && errors->clear_mark != NULL)
        errors->clear_mark(errors->core);
    else if (!keep && errors->pop_to_mark != NULL)
        errors->pop_to_mark(errors->core);
}

void errors_hear(const struct errors *errors, struct error_heard *heard)
{
    (void)pthread_setspecific(errors->heard, heard);
}

const char *errors_system_text(int error, struct system_text *text)
{
    if (strerror_r(error, text->text, sizeof(text->text)) != 0)
        (void)snprintf(text->text, sizeof(text->text), "error %d", error);
    return text->text;
}

int errors_raise_unavailable(const struct errors *errors, OSSL_LIB_CTX *libctx, const char *name)
{
    if (EVP_default_properties_is_fips_enabled(libctx))
        return RAISE(
            errors, SCHANNEL_R_ALGORITHM_UNAVAILABLE,
            "%s: no provider with fips=yes offers it; the library context's default "
            "properties ask for fips=yes, which applies to this provider's own work as well",
            name);
    return RAISE(errors, SCHANNEL_R_ALGORITHM_UNAVAILABLE,
                 "%s is offered by no other provider: load the default provider beside this one",
                 name);
}

int errors_raise_no_random(const struct errors *errors, OSSL_LIB_CTX *libctx, const char *purpose)
{
    if (EVP_default_properties_is_fips_enabled(libctx))
        return RAISE(errors, SCHANNEL_R_LIBCRYPTO_FAILURE,
                     "no random bytes for %s: the library context's default properties ask for "
                     "fips=yes, and no provider with it offers a random number generator",
                     purpose);
    return RAISE(errors, SCHANNEL_R_LIBCRYPTO_FAILURE,
                 "no random bytes for %s: load the default provider beside this one", purpose);
}
