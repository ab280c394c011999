/*
 * STORE "schannel": blobs in files and directories, with the options of their import in the URI.
 *
 * A file gives the keys of its blobs, binary or PEM; a directory gives the names of the files in it
 * that hold one, each with a line about it.  Entered while the provider itself opens an exchange or
 * signature key, it declines.  Referenced by algorithms.c.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "blob/blob.h"
#include "blob/key_argument.h"
#include "decoder/read_blob.h"
#include "dispatch.h"
#include "schannel/names.h"
#include "store/listing.h"
#include "store/uri.h"

static OSSL_FUNC_store_open_fn store_open;
static OSSL_FUNC_store_settable_ctx_params_fn store_settable_ctx_params;
static OSSL_FUNC_store_set_ctx_params_fn store_set_ctx_params;
static OSSL_FUNC_store_load_fn store_load;
static OSSL_FUNC_store_eof_fn store_eof;
static OSSL_FUNC_store_close_fn store_close;

struct store {
    struct provctx *provctx;
    struct store_uri uri;
    DIR *directory; /* NULL: it is a file */
    int is_read;    /* the directory, to its end or as far as it could be */
    BIO *file;
    int is_pem;
    int broken_at;  /* where a damaged PEM block was met: the next load says so; -1: nowhere */
    int failure;    /* errno of what could not be read: the next load says so; 0: nothing */
    int has_failed; /* the last load: it is no end until the caller has seen that */
    /* What the next load gives: a blob, and of a directory the name of its file; NULL: nothing. */
    uint8_t *blob;
    size_t size;
    char *name;
};

static void drop_next(struct store *store)
{
    OPENSSL_clear_free(store->blob, store->size);
    OPENSSL_free(store->name);
    store->blob = NULL;
    store->name = NULL;
}

/* ---- finding what comes next ---- */

/* The next PEM block under one of our labels; others are passed over. */
static void next_in_file(struct store *store)
{
    drop_next(store);
    while (store->is_pem && !BIO_eof(store->file)) {
        const int at = BIO_tell(store->file);
        enum found found;

        errors_mark(store->provctx->errors);
        found = read_blob_pem(store->provctx, BLOB_TYPE_DEFAULT, store->file, &store->blob,
                              &store->size);
        errors_unmark(store->provctx->errors, 0);
        if (found == FAILED)
            store->broken_at = at;
        if (found != NOT_OURS)
            return;
    }
}

/* Reads the damaged block again, which is the last one then.  0 with its reason raised. */
static int raise_broken(struct store *store)
{
    (void)BIO_seek(store->file, store->broken_at);
    (void)read_blob_pem(store->provctx, BLOB_TYPE_DEFAULT, store->file, &store->blob, &store->size);
    store->broken_at = -1;
    store->is_pem = 0;
    return 0;
}

/* 1 for a failure of the machine's.  A file that nobody may read, that is gone or too long is no reason
 * to list nothing. */
static int is_failure(int failure)
{
    return failure == ENOMEM || failure == EIO || failure == EMFILE || failure == ENFILE;
}

/* The blob in |file|.  0, or ENOMEM. */
static int take_blob(struct store *store, BIO *file, const char *name)
{
    struct error_heard why = { 0, "" };
    enum listing_found found;
    int failure = 0, is_pem;

    errors_mark(store->provctx->errors);
    errors_hear(store->provctx->errors, &why);
    found = listing_read(store->provctx, file, &store->blob, &store->size, &is_pem);
    errors_hear(store->provctx->errors, NULL);
    if (found == LISTING_FAILED && why.reason == SCHANNEL_R_OUT_OF_MEMORY)
        failure = ENOMEM;
    errors_unmark(store->provctx->errors, 0);
    if (found == LISTING_OURS && (store->name = OPENSSL_strdup(name)) == NULL) {
        drop_next(store);
        failure = ENOMEM;
    }
    return failure;
}

/* Is there a blob in this file, or a failure to be told? */
static int take_file(struct store *store, const char *name)
{
    char *path = store_path_of_file(&store->uri, name);
    BIO *file = path != NULL ? listing_open_file(path) : NULL;
    int failure;

    if (path == NULL)
        failure = ENOMEM;
    else
        failure = file != NULL ? take_blob(store, file, name) : errno;
    BIO_free(file);
    OPENSSL_free(path);
    if (is_failure(failure))
        store->failure = failure;
    return store->name != NULL || store->failure != 0;
}

static void next_in_directory(struct store *store)
{
    const struct dirent *entry;

    drop_next(store);
    while (!store->is_read) {
        errno = 0;
        if ((entry = readdir(store->directory)) == NULL) {
            store->failure = errno;
            store->is_read = 1;
        } else if (entry->d_name[0] != '.' && take_file(store, entry->d_name)) {
            return;
        }
    }
}

/* Says what could not be read, and goes on behind it.  0. */
static int raise_failure(struct store *store)
{
    const struct errors *errors = store->provctx->errors;

    if (store->failure == ENOMEM)
        RAISE(errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory to list what is in it",
              store->uri.path);
    else
        RAISE(errors, SCHANNEL_R_FILE_UNREADABLE, "%s: something in it cannot be read: %s",
              store->uri.path, SYSTEM_TEXT(store->failure));
    store->failure = 0;
    next_in_directory(store);
    return 0;
}

/* ---- opening and closing ---- */

static int open_file(struct store *store)
{
    const struct errors *errors = store->provctx->errors;

    if ((store->file = listing_open_file(store->uri.path)) == NULL)
        return RAISE(errors, SCHANNEL_R_FILE_UNREADABLE, "%s: %s", store->uri.path,
                     errno == EINVAL ? "is neither a regular file nor a directory"
                                     : SYSTEM_TEXT(errno));
    switch (listing_read(store->provctx, store->file, &store->blob, &store->size, &store->is_pem)) {
    case LISTING_FAILED:
        return 0;
    case LISTING_OURS:
        return 1;
    case LISTING_NOT_OURS:
        break;
    }
    next_in_file(store);
    if (store->broken_at >= 0)
        return raise_broken(store);
    return store->blob != NULL || RAISE(errors, SCHANNEL_R_MALFORMED_BLOB,
                                        "%s: holds no blob of this provider", store->uri.path);
}

static void *store_open(void *vprovctx, const char *uri)
{
    struct provctx *provctx = vprovctx;
    struct store *store;

    if (inner_open_is_active(provctx))
        return NULL;
    if ((store = OPENSSL_zalloc(sizeof(*store))) == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a store context");
        return NULL;
    }
    store->provctx = provctx;
    store->broken_at = -1;
    if (store_uri_parse(provctx, uri, &store->uri)) {
        if ((store->directory = opendir(store->uri.path)) != NULL) {
            next_in_directory(store);
            return store;
        }
        if (open_file(store))
            return store;
    }
    store_close(store);
    return NULL;
}

static int store_close(void *vstore)
{
    struct store *store = vstore;

    drop_next(store);
    if (store->directory != NULL)
        (void)closedir(store->directory);
    BIO_free(store->file);
    store_uri_clear(&store->uri);
    OPENSSL_free(store);
    return 1;
}

/* ---- parameters: the options of an import; what is expected, and properties, make no difference */

static int store_set_ctx_params(void *vstore, const OSSL_PARAM params[])
{
    struct store *store = vstore;

    return blob_options_set(store->provctx, &store->uri.options, OPTIONS_IMPORT, params);
}

static const OSSL_PARAM *store_settable_ctx_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        BLOB_OPTIONS_IMPORT,
        OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL),
        OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return settable;
}

/* ---- loading ---- */

static int give_name(struct store *store, OSSL_CALLBACK *callback, void *arg)
{
    int type = OSSL_OBJECT_NAME;
    char line[LISTING_LINE_SIZE] = "";
    char *uri = store_uri_of_file(&store->uri, store->name);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA, uri, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DESC, line, 0),
        OSSL_PARAM_construct_end(),
    };
    int ok;

    if (uri == NULL)
        return RAISE(store->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a URI");
    listing_describe(store->provctx, (struct octets){ store->blob, store->size },
                     &store->uri.options, line);
    /* |line| was empty when its parameter was made. */
    params[2] = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DESC, line, 0);
    /* OpenSSL 3.5 raises that the name is no octet string before it takes it. */
    errors_mark(store->provctx->errors);
    ok = callback(params, arg);
    errors_unmark(store->provctx->errors, !ok);
    OPENSSL_free(uri);
    return ok;
}

static int give_key(struct store *store, const struct passphrase_source *passphrase,
                    OSSL_CALLBACK *callback, void *arg)
{
    int type = OSSL_OBJECT_PKEY;
    char key_type[] = SCHANNEL_KEY_TYPE;
    struct key *key = blob_import(store->provctx, (struct octets){ store->blob, store->size },
                                  &store->uri.options, passphrase);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, key_type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &key, sizeof(void *)),
        OSSL_PARAM_construct_end(),
    };
    int ok = key != NULL && callback(params, arg);

    key_free(key); /* NULL when it was taken */
    return ok;
}

static int load_next(struct store *store, const struct passphrase_source *passphrase,
                     OSSL_CALLBACK *callback, void *arg)
{
    int ok;

    if (store->broken_at >= 0)
        return raise_broken(store);
    if (store->failure != 0)
        return raise_failure(store);
    if (store->directory != NULL) {
        ok = give_name(store, callback, arg);
        next_in_directory(store);
    } else {
        ok = give_key(store, passphrase, callback, arg);
        next_in_file(store);
    }
    return ok;
}

static int is_at_end(const struct store *store)
{
    return store->blob == NULL && store->broken_at < 0 && store->failure == 0;
}

static int store_load(void *vstore, OSSL_CALLBACK *callback, void *arg,
                      OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    struct store *store = vstore;
    const struct passphrase_source passphrase = { ask, ask_arg };
    int ok;

    if (is_at_end(store)) {
        store->has_failed = 0;
        return 0;
    }
    ok = load_next(store, &passphrase, callback, arg);
    store->has_failed = !ok;
    return ok;
}

/* libcrypto takes a load that fails at the end for the end. */
static int store_eof(void *vstore)
{
    const struct store *store = vstore;

    return is_at_end(store) && !store->has_failed;
}

const OSSL_DISPATCH schannel_store_functions[] = {
    { OSSL_FUNC_STORE_OPEN, (void (*)(void))store_open },
    { OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, (void (*)(void))store_settable_ctx_params },
    { OSSL_FUNC_STORE_SET_CTX_PARAMS, (void (*)(void))store_set_ctx_params },
    { OSSL_FUNC_STORE_LOAD, (void (*)(void))store_load },
    { OSSL_FUNC_STORE_EOF, (void (*)(void))store_eof },
    { OSSL_FUNC_STORE_CLOSE, (void (*)(void))store_close },
    { 0, NULL },
};
