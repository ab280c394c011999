/* Keys of other providers: see key_argument.h. */
#include "blob/key_argument.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#define MAX_OBJECTS   64      /* how far a store is searched */
#define MAX_FILE_SIZE 1048576 /* of a file with keys, in bytes */

/* ---- which threads are inside ---- */

struct inner_opens {
    pthread_key_t inside; /* not NULL in a thread that is */
};

struct inner_opens *inner_opens_new(void)
{
    struct inner_opens *opens = OPENSSL_zalloc(sizeof(*opens));

    if (opens != NULL && pthread_key_create(&opens->inside, NULL) != 0) {
        OPENSSL_free(opens);
        opens = NULL;
    }
    return opens;
}

void inner_opens_free(struct inner_opens *opens)
{
    if (opens == NULL)
        return;
    (void)pthread_key_delete(opens->inside);
    OPENSSL_free(opens);
}

int inner_open_is_active(const struct provctx *provctx)
{
    return pthread_getspecific(provctx->inner_opens->inside) != NULL;
}

/* ---- passphrases of encrypted files ---- */

struct question {
    const struct passphrase_source *source;
    int was_asked;
};

static int ask(char *buffer, int size, int for_writing, void *vquestion)
{
    struct question *question = vquestion;
    const struct passphrase_source *source = question->source;
    size_t length = 0;

    (void)for_writing;
    question->was_asked = 1;
    if (source == NULL || source->callback == NULL || size <= 0 ||
        !source->callback(buffer, (size_t)size, &length, NULL, source->arg) ||
        length > (size_t)size)
        return -1;
    return (int)length;
}

/* ---- opening ---- */

/* The path in a file name or file: URI, as libcrypto's file store understands it. */
static const char *path_of(const char *uri)
{
    if (strncasecmp(uri, "file:", 5) != 0)
        return uri;
    uri += 5;
    if (strncasecmp(uri, "//localhost/", 12) == 0)
        return uri + 11;
    return strncmp(uri, "///", 3) == 0 ? uri + 2 : uri;
}

/* The file store would wait for a pipe, and search a huge file to its end.  1 for what is no file:
 * a store of another provider may know it. */
static int is_readable_file(const char *uri)
{
    struct stat status;

    return stat(path_of(uri), &status) != 0 ||
           (S_ISREG(status.st_mode) && status.st_size <= MAX_FILE_SIZE);
}

/*
 * The public half alone, in a provider that has the algorithm in software: what is public needs no
 * token, and no provider is asked to export a pair.  |key| itself when it cannot be had so; its
 * reference goes over.
 */
static EVP_PKEY *reduce_to_public(const struct provctx *provctx, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    const unsigned char *at;
    EVP_PKEY *half = NULL;
    int size = i2d_PUBKEY(key, &der);

    at = der;
    if (size > 0)
        half = d2i_PUBKEY_ex(NULL, &at, size, provctx->keys_libctx, PROVCTX_INNER_PROPERTIES);
    OPENSSL_free(der);
    if (half == NULL)
        return key;
    EVP_PKEY_free(key);
    return half;
}

static EVP_PKEY *key_of(const OSSL_STORE_INFO *info, enum key_half half)
{
    EVP_PKEY *key = NULL;
    X509 *certificate;

    switch (OSSL_STORE_INFO_get_type(info)) {
    case OSSL_STORE_INFO_PKEY:
        return OSSL_STORE_INFO_get1_PKEY(info);
    case OSSL_STORE_INFO_PUBKEY:
        return half == KEY_HALF_PUBLIC ? OSSL_STORE_INFO_get1_PUBKEY(info) : NULL;
    case OSSL_STORE_INFO_CERT:
        if (half == KEY_HALF_PUBLIC && (certificate = OSSL_STORE_INFO_get1_CERT(info)) != NULL) {
            key = X509_get_pubkey(certificate);
            X509_free(certificate);
        }
        return key;
    default:
        return NULL;
    }
}

/* The first key that the store has. */
static EVP_PKEY *search(OSSL_STORE_CTX *store, enum key_half half)
{
    EVP_PKEY *key = NULL;

    if (half == KEY_HALF_PRIVATE && !OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY))
        return NULL;
    for (int n = 0; key == NULL && n < MAX_OBJECTS && !OSSL_STORE_eof(store); n++) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL)
            key = key_of(info, half);
        OSSL_STORE_INFO_free(info);
    }
    return key;
}

static EVP_PKEY *open_store(const struct provctx *provctx, const char *uri, enum key_half half,
                            struct question *question)
{
    UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(ask, 0);
    OSSL_STORE_CTX *store = NULL;
    EVP_PKEY *key = NULL;

    /* Without properties: OpenSSL 3.0 crashes when it has some for a store that takes no parameters,
     * and our own store and decoders know that they are meant to stay out of it. */
    if (method != NULL)
        store =
            OSSL_STORE_open_ex(uri, provctx->keys_libctx, NULL, method, question, NULL, NULL, NULL);
    if (store != NULL)
        key = search(store, half);
    if (key != NULL && half == KEY_HALF_PUBLIC)
        key = reduce_to_public(provctx, key);
    OSSL_STORE_close(store);
    UI_destroy_method(method);
    return key;
}

/* Without a provider that offers keys there is none in any file. */
static int are_keys_offered(const struct provctx *provctx)
{
    EVP_KEYMGMT *rsa;

    errors_mark(provctx->errors);
    rsa = EVP_KEYMGMT_fetch(provctx->libctx, "RSA", PROVCTX_INNER_PROPERTIES);
    errors_unmark(provctx->errors, 0);
    EVP_KEYMGMT_free(rsa);
    return rsa != NULL;
}

/* Where keys have a library context of their own, the application's decides nevertheless, with its
 * providers and default properties, whether they may be used. */
static int check_offered(const struct provctx *provctx)
{
    if (provctx->keys_libctx == provctx->libctx)
        return 1;
    if (!are_keys_offered(provctx))
        return errors_raise_unavailable(provctx->errors, provctx->libctx, "RSA");
    return !EVP_default_properties_is_fips_enabled(provctx->libctx) ||
           RAISE(
               provctx->errors, SCHANNEL_R_ALGORITHM_UNAVAILABLE,
               "exchange and signature keys: the library context's default properties ask for "
               "fips=yes, which is not to be had in a process with another libcrypto than the one "
               "this module was built against");
}

/* 1, with *key NULL when nothing is found; not from inside. */
static int open_inside(const struct provctx *provctx, const char *uri, const char *name,
                       enum key_half half, struct question *question, EVP_PKEY **key)
{
    const pthread_key_t inside = provctx->inner_opens->inside;

    *key = NULL;
    if (uri[0] == '\0' || inner_open_is_active(provctx))
        return 1;
    if (pthread_setspecific(inside, provctx) != 0)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory for it", name);
    errors_mark(provctx->errors);
    *key = open_store(provctx, uri, half, question);
    errors_unmark(provctx->errors, 0);
    (void)pthread_setspecific(inside, NULL);
    return 1;
}

/* A name that only the store of another provider can know, in a process where we do not reach it. */
static int is_out_of_reach(const struct provctx *provctx, const char *uri)
{
    return provctx->keys_libctx != provctx->libctx && strchr(uri, ':') != NULL &&
           path_of(uri) == uri && access(uri, F_OK) != 0;
}

/* Says why, as far as that can be told. */
static int raise_not_found(const struct provctx *provctx, const char *uri, const char *name,
                           enum key_half half, const struct question *question)
{
    if (strchr(uri, ':') == NULL && access(uri, R_OK) != 0)
        return RAISE(provctx->errors, SCHANNEL_R_KEY_ARGUMENT_UNREADABLE, "%s: \"%s\": %s", name,
                     uri, SYSTEM_TEXT(errno));
    if (!are_keys_offered(provctx))
        return errors_raise_unavailable(provctx->errors, provctx->libctx, "RSA");
    if (question->was_asked)
        return RAISE(provctx->errors, SCHANNEL_R_KEY_ARGUMENT_UNREADABLE,
                     "%s: \"%s\" is encrypted, and its passphrase is not given or wrong", name,
                     uri);
    return RAISE(
        provctx->errors, SCHANNEL_R_KEY_ARGUMENT_UNREADABLE, "%s: no %s is found in \"%s\"%s", name,
        half == KEY_HALF_PRIVATE ? "private key" : "public key, certificate or key pair", uri,
        is_out_of_reach(provctx, uri) ? "; keys of other providers need this module built against "
                                        "the libcrypto of the program"
                                      : "");
}

/* |uri| is a name in full. */
static int open_text(const struct provctx *provctx, const char *uri, const char *name,
                     enum key_half half, const struct passphrase_source *passphrase, EVP_PKEY **key)
{
    struct question question = { passphrase, 0 };

    if (!is_readable_file(uri))
        return RAISE(provctx->errors, SCHANNEL_R_KEY_ARGUMENT_UNREADABLE,
                     "%s: expected a regular file of at most %d bytes or a URI, \"%s\" is neither",
                     name, MAX_FILE_SIZE, uri);
    return check_offered(provctx) && open_inside(provctx, uri, name, half, &question, key) &&
           (*key != NULL || raise_not_found(provctx, uri, name, half, &question));
}

/* The first |length| characters of |text| are a name. */
static int open_part(const struct provctx *provctx, const char *text, size_t length,
                     const char *name, enum key_half half,
                     const struct passphrase_source *passphrase, EVP_PKEY **key)
{
    char *uri = OPENSSL_strndup(text, length);
    int ok = uri != NULL
                 ? open_text(provctx, uri, name, half, passphrase, key)
                 : RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory for it", name);

    OPENSSL_free(uri);
    return ok;
}

static int open_spki(const struct provctx *provctx, struct octets spki, const char *name,
                     enum key_half half, EVP_PKEY **key)
{
    const unsigned char *at = spki.data;

    if (half == KEY_HALF_PRIVATE)
        return RAISE(
            provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
            "%s: octets are a public key, this needs the private one: name its file or URI", name);
    if (!check_offered(provctx))
        return 0;
    errors_mark(provctx->errors);
    *key =
        d2i_PUBKEY_ex(NULL, &at, (long)spki.size, provctx->keys_libctx, PROVCTX_INNER_PROPERTIES);
    errors_unmark(provctx->errors, 0);
    if (*key != NULL && at == spki.data + spki.size)
        return 1;
    EVP_PKEY_free(*key);
    *key = NULL;
    return RAISE(provctx->errors, SCHANNEL_R_KEY_ARGUMENT_UNREADABLE,
                 "%s: expected octets to be the SubjectPublicKeyInfo of a public key", name);
}

int key_argument_open(struct provctx *provctx, const struct key_argument *argument,
                      const char *name, enum key_half half,
                      const struct passphrase_source *passphrase, EVP_PKEY **key)
{
    *key = NULL;
    if (argument->spki != NULL)
        return open_spki(provctx, shared_octets_view(argument->spki), name, half, key);
    return argument->text == NULL ||
           open_text(provctx, argument->text, name, half, passphrase, key);
}

int key_arguments_open(struct provctx *provctx, const struct key_argument *argument,
                       const char *name, enum key_half half,
                       const struct passphrase_source *passphrase, size_t most, EVP_PKEY **keys,
                       size_t *count)
{
    const char *text = argument->text;
    size_t opened = 0;
    int ok = 1;

    if (text == NULL) {
        ok = key_argument_open(provctx, argument, name, half, passphrase, &keys[0]);
        *count = ok && keys[0] != NULL;
        return ok;
    }
    while (ok && text != NULL) {
        size_t length = strcspn(text, ",");

        if (opened == most)
            ok = most == 1 ? RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                                   "%s: expected one key, got several", name)
                           : RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                                   "%s: expected at most %zu keys, got more", name, most);
        else if ((ok = open_part(provctx, text, length, name, half, passphrase, &keys[opened])))
            opened++;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    if (!ok) {
        key_arguments_free(keys, opened);
        return 0;
    }
    *count = opened;
    return 1;
}

void key_arguments_free(EVP_PKEY **keys, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        EVP_PKEY_free(keys[n]);
        keys[n] = NULL;
    }
}

/* ---- operations stay where the key is ---- */

void key_argument_properties(const EVP_PKEY *key, char text[KEY_ARGUMENT_PROPERTIES_SIZE])
{
    const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(key);
    int length = -1;

    if (provider != NULL)
        length = snprintf(text, KEY_ARGUMENT_PROPERTIES_SIZE, "?provider=%s",
                          OSSL_PROVIDER_get0_name(provider));
    if (length < 0 || length >= KEY_ARGUMENT_PROPERTIES_SIZE)
        OPENSSL_strlcpy(text, PROVCTX_INNER_PROPERTIES, KEY_ARGUMENT_PROPERTIES_SIZE);
}

int key_argument_stays(const EVP_PKEY *key, const EVP_PKEY_CTX *operation)
{
    return EVP_PKEY_CTX_get0_provider(operation) == EVP_PKEY_get0_provider(key);
}
