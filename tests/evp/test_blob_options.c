/*
 * Options of exports: kept with a key, merged with those of one export, duplicated, never written
 * into a blob; which of them do not fit together; and what a transfer inside of a signed blob, or one
 * whose export is refused, becomes.
 */
#include "blob_calls.h"

#include <sys/stat.h>
#include <unistd.h>

#define CONFLICT "conflicting parameters"

static char private_path[96], public_path[96], small_path[96], small_public[96], claims[96];
static char file_path[96];

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    snprintf(private_path, sizeof(private_path), "%s/rsa.pem", directory);
    snprintf(public_path, sizeof(public_path), "%s/rsa.pub.pem", directory);
    snprintf(small_path, sizeof(small_path), "%s/small.pem", directory);
    snprintf(small_public, sizeof(small_public), "%s/small.pub.pem", directory);
    snprintf(file_path, sizeof(file_path), "%s/blob", directory);
    snprintf(claims, sizeof(claims), "%s/claims", directory);
    write_rsa_key(private_path, public_path, 2048);
    write_rsa_key(small_path, small_public, 512);
    return mkdir(claims, 0700);
}

static int teardown(void **state)
{
    char command[128];

    unlink(private_path);
    unlink(public_path);
    unlink(small_path);
    unlink(small_public);
    unlink(file_path);
    snprintf(command, sizeof(command), "rm -rf '%s'", claims);
    assert_int_equal(system(command), 0);
    return fixture_teardown(state);
}

/* ---- helpers ---- */

static void keep(EVP_PKEY *key, const char *name, const char *value)
{
    OSSL_PARAM params[] = { text_param(name, value), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_set_params(key, params), 1);
}

/* The first bytes of an export by the type "der", which leaves the blob type to the options. */
static int first_byte(EVP_PKEY *key, const OSSL_PARAM params[])
{
    static struct exported blob;

    return export_as(key, "der", params, &blob) ? blob.data[0] : -1;
}

static EVP_PKEY *open_simple(const struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("exchange-key", private_path), OSSL_PARAM_construct_end() };

    return import_from(libctx, blob, params);
}

/* ---- options that are kept ---- */

static void options_are_kept_and_used_by_later_exports(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "RC4", 16), *copy;

    (void)state;
    assert_int_equal(first_byte(key, NULL), 9);
    keep(key, "blob", "simpleblob");
    keep(key, "exchange-key", public_path);
    assert_int_equal(first_byte(key, NULL), 1);
    assert_int_equal(first_byte(key, NULL), 1);
    /* A duplicate has them, and its own from then on. */
    copy = EVP_PKEY_dup(key);
    assert_non_null(copy);
    assert_int_equal(first_byte(copy, NULL), 1);
    keep(copy, "blob", "opaqueblob");
    assert_int_equal(first_byte(copy, NULL), -1);
    assert_reason(CONFLICT, "exchange-key: belongs to simpleblob");
    assert_int_equal(first_byte(key, NULL), 1);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(key);
}

/* What one export says comes first, and changes nothing for the next. */
static void options_of_one_export_come_first(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "RC4", 16);
    OSSL_PARAM opaque[] = { text_param("blob", "opaqueblob"), OSSL_PARAM_construct_end() };
    OSSL_PARAM elsewhere[] = { text_param("exchange-key", "/nonexistent"),
                               OSSL_PARAM_construct_end() };
    OSSL_PARAM oaep[] = { text_param("pad-mode", "oaep"), OSSL_PARAM_construct_end() };
    static struct exported blob;

    (void)state;
    keep(key, "blob", "simpleblob");
    keep(key, "exchange-key", public_path);
    assert_int_equal(first_byte(key, opaque), 9);
    assert_int_equal(export_as(key, "opaqueblob", NULL, &blob), 1);
    assert_int_equal(blob.data[0], 9);
    assert_int_equal(first_byte(key, elsewhere), -1);
    assert_reason("exchange or signature key cannot be read", "/nonexistent");
    assert_int_equal(export_as(key, "der", oaep, &blob), 1);
    assert_null(open_simple(&blob));
    assert_reason("blob does not open", "");
    assert_int_equal(export_as(key, "der", NULL, &blob), 1);
    EVP_PKEY_free(key);
    assert_non_null(key = open_simple(&blob));
    EVP_PKEY_free(key);
}

static int holds(const struct exported *blob, const char *text)
{
    const size_t size = strlen(text);

    for (size_t n = 0; n + size <= blob->size; n++) {
        if (memcmp(blob->data + n, text, size) == 0)
            return 1;
    }
    return 0;
}

static void options_are_never_written_into_a_blob(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "RC4", 16), *again;
    static struct exported with, without;
    OSSL_PARAM opaque[] = { text_param("blob", "opaqueblob"), OSSL_PARAM_construct_end() };
    uint8_t parameter[MAX_BLOB];

    (void)state;
    assert_int_equal(export_as(key, "opaqueblob", NULL, &without), 1);
    keep(key, "blob", "simpleblob");
    keep(key, "exchange-key", public_path);
    keep(key, "purpose", "a purpose of its own");
    keep(key, "signature-key", private_path);
    assert_int_equal(export_as(key, "der", opaque, &with), 1);
    assert_int_equal(with.size, without.size);
    assert_int_equal(holds(&with, directory), 0);
    assert_int_equal(holds(&with, "purpose"), 0);
    assert_non_null(again = import_from(libctx, &with, NULL));
    assert_int_equal(first_byte(again, NULL), 9);
    EVP_PKEY_free(again);
    /* The parameter is always an opaque blob, whatever is kept. */
    assert_int_equal(export_blob(key, parameter), without.size);
    assert_int_equal(parameter[0], 9);
    EVP_PKEY_free(key);
}

/* ---- options that do not belong to a blob are not overlooked ---- */

static void an_option_of_another_type_is_a_conflict(void **state)
{
    static const struct {
        const char *type, *blob, *option, *value, *says;
    } rows[] = {
        { "simpleblob", NULL, "signature-key", "rsa.pem", "signature-key: belongs to signedblob" },
        { "opaqueblob", NULL, "signature-key", "rsa.pem", "signature-key: belongs to signedblob" },
        { "opaqueblob", NULL, "exchange-key", "rsa.pem", "exchange-key: belongs to simpleblob" },
        { "plaintextblob", NULL, "pad-mode", "oaep", "pad-mode: belongs to simpleblob" },
        { "simpleblob", NULL, "audience", "bob", "audience: belongs to opaqueblob" },
        { "simpleblob", NULL, "blob-mode", "transfer", "transfer: belongs to opaqueblob" },
        { "signedblob", NULL, "exchange-key", "rsa.pem", "exchange-key: belongs to simpleblob" },
        { "der", "simpleblob", "purpose", "x", "purpose: belongs to signedblob" },
        { "der", "opaqueblob", "inner", "simpleblob", "inner: belongs to signedblob" },
        { "simpleblob", NULL, "blob", "signedblob", "blob: asks for one type, signed blob, and" },
        { "opaqueblob", NULL, "blob", "simpleblob", "blob: asks for one type, simple blob, and" },
        { "der", NULL, "signature-key", "rsa.pem", "signature-key: belongs to signedblob" },
        { "pem", NULL, "exchange-key", "rsa.pem", "exchange-key: belongs to simpleblob" },
    };
    EVP_PKEY *key = secret_key(libctx, "RC4", 16);
    static struct exported blob;

    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        OSSL_PARAM params[3] = { text_param(rows[n].option, rows[n].value),
                                 OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

        if (rows[n].blob != NULL)
            params[1] = text_param("blob", rows[n].blob);
        assert_int_equal(export_as(key, rows[n].type, params, &blob), 0);
        assert_reason(CONFLICT, rows[n].says);
    }
    EVP_PKEY_free(key);
}

/* Nor are those that are no text; what is as it would be anyway is no conflict. */
static void an_option_that_is_no_text_is_not_overlooked_either(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "RC4", 16), *again;
    int yes = 1;
    OSSL_PARAM octets[] = { octets_param("exchange-key", "key", 3), OSSL_PARAM_construct_end() };
    OSSL_PARAM fallback[] = { OSSL_PARAM_construct_int("ssl2-fallback", &yes),
                              OSSL_PARAM_construct_end() };
    OSSL_PARAM snapshot[] = { text_param("exchange-key", public_path),
                              text_param("blob-mode", "snapshot"), OSSL_PARAM_construct_end() };
    static struct exported blob;

    (void)state;
    assert_int_equal(export_as(key, "opaqueblob", octets, &blob), 0);
    assert_reason(CONFLICT, "exchange-key: belongs to simpleblob");
    assert_int_equal(export_as(key, "opaqueblob", fallback, &blob), 0);
    assert_reason(CONFLICT, "ssl2-fallback: belongs to simpleblob");
    assert_int_equal(export_as(key, "simpleblob", snapshot, &blob), 1);
    assert_non_null(again = open_simple(&blob));
    EVP_PKEY_free(again);
    EVP_PKEY_free(key);
}

/* Who expects a signature does not get a blob without one. */
static void a_signature_that_is_expected_cannot_be_left_out(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "RC4", 16);
    static struct exported blob;
    OSSL_PARAM receiver[] = { text_param("exchange-key", public_path), OSSL_PARAM_construct_end() };
    OSSL_PARAM both[] = { text_param("exchange-key", private_path),
                          text_param("signature-key", public_path), OSSL_PARAM_construct_end() };
    char uri[400];

    (void)state;
    assert_int_equal(export_as(key, "simpleblob", receiver, &blob), 1);
    assert_null(import_from(libctx, &blob, both));
    assert_reason("blob is not signed", "signature-key: expects a signed blob");
    write_file(file_path, blob.data, blob.size);
    snprintf(uri, sizeof(uri), "schannel:%s?exchange-key=%s&purpose=storage", file_path,
             private_path);
    assert_null(import_uri(libctx, uri));
    assert_reason("blob is not signed", "purpose: expects a signed blob");
    EVP_PKEY_free(key);
}

/* ---- transfers ---- */

/* The options of a signed blob with a transfer inside. */
static int export_transfer(EVP_PKEY *key, struct exported *blob)
{
    OSSL_PARAM params[] = {
        text_param("signature-key", private_path),
        text_param("blob-mode", "transfer"),
        text_param("seal-key", seal_key_a),
        text_param("claim-dir", claims),
        OSSL_PARAM_construct_end(),
    };

    return export_as(key, "signedblob", params, blob);
}

static EVP_PKEY *import_transfer(const struct exported *blob)
{
    OSSL_PARAM params[] = {
        text_param("signature-key", public_path),
        text_param("seal-key", seal_key_a),
        text_param("claim-dir", claims),
        OSSL_PARAM_construct_end(),
    };

    return import_from(libctx, blob, params);
}

static int use(EVP_PKEY *key)
{
    uint8_t blob[MAX_BLOB];
    size_t size = 0;

    return EVP_PKEY_get_octet_string_param(key, "opaque-blob", blob, sizeof(blob), &size);
}

static void list(const char *path)
{
    char uri[400];
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;
    int names = 0;

    snprintf(uri, sizeof(uri), "schannel:%s?signature-key=%s&seal-key=%s&claim-dir=%s", path,
             public_path, seal_key_a, claims);
    store = OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    assert_non_null(store);
    while ((info = OSSL_STORE_load(store)) != NULL) {
        const char *line = OSSL_STORE_INFO_get0_NAME_description(info);

        if (line != NULL && strstr(line, "signed blob") != NULL) {
            names++;
            if (strstr(line, "transfer") == NULL || strstr(line, "not opened") != NULL)
                fail_msg("the listing says \"%s\"", line);
        }
        OSSL_STORE_INFO_free(info);
    }
    assert_int_equal(names, 1);
    OSSL_STORE_close(store);
    assert_no_errors();
}

static void a_transfer_inside_is_claimed_by_its_first_use_only(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "RC4", 16), *first, *second, *third;
    static struct exported blob;
    char uri[400];

    (void)state;
    assert_int_equal(export_transfer(key, &blob), 1);
    write_file(file_path, blob.data, blob.size);
    list(directory);
    list(directory);
    snprintf(uri, sizeof(uri), "schannel:%s?signature-key=%s&seal-key=%s&claim-dir=%s", file_path,
             public_path, seal_key_a, claims);
    assert_non_null(first = import_transfer(&blob));
    assert_non_null(second = import_uri(libctx, uri));
    assert_int_equal(EVP_PKEY_eq(first, second), 1);
    assert_int_equal(use(second), 1);
    assert_int_equal(use(first), 0);
    assert_reason("blob was opened before", "");
    assert_non_null(third = import_transfer(&blob));
    assert_int_equal(use(third), 0);
    assert_reason("blob was opened before", "");
    assert_int_equal(use(second), 1);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    EVP_PKEY_free(third);
    EVP_PKEY_free(key);
    unlink(file_path);
}

/* An export that is refused is no use: somebody else can still open the transfer. */
static void a_refused_export_does_not_claim_a_transfer(void **state)
{
    unsigned yes = 1, no = 0;
    const OSSL_PARAM end = OSSL_PARAM_construct_end();
    OSSL_PARAM fallback[] = { text_param("exchange-key", public_path),
                              OSSL_PARAM_construct_uint("ssl2-fallback", &yes), end };
    OSSL_PARAM no_receiver[] = { end };
    OSSL_PARAM no_room[] = { text_param("exchange-key", small_public),
                             text_param("pad-mode", "oaep"), end };
    OSSL_PARAM not_allowed[] = { OSSL_PARAM_construct_uint("allow-plaintext", &no), end };
    OSSL_PARAM no_signer[] = { text_param("signature-key", public_path), end };
    OSSL_PARAM no_inner_receiver[] = { text_param("signature-key", private_path),
                                       text_param("inner", "simpleblob"), end };
    OSSL_PARAM no_lifetime[] = { OSSL_PARAM_construct_uint("lifetime", &yes),
                                 text_param("blob-mode", "snapshot"), end };
    const struct {
        const char *type, *reason;
        const OSSL_PARAM *params;
    } rows[] = {
        { "simpleblob", "wrong kind of key", fallback },
        { "simpleblob", "missing parameter", no_receiver },
        { "simpleblob", "invalid length", no_room },
        { "plaintextblob", "key bytes in the clear are not allowed", not_allowed },
        { "signedblob", "exchange or signature key cannot be read", no_signer },
        { "signedblob", "missing parameter", no_inner_receiver },
        { "opaqueblob", CONFLICT, no_lifetime },
    };
    EVP_PKEY *key = secret_key(libctx, "AES-256-CBC", 32), *waiting, *other;
    static struct exported blob, refused;

    (void)state;
    assert_int_equal(export_transfer(key, &blob), 1);
    assert_non_null(waiting = import_transfer(&blob));
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        assert_int_equal(export_as(waiting, rows[n].type, rows[n].params, &refused), 0);
        assert_reason(rows[n].reason, "");
    }
    assert_non_null(other = import_transfer(&blob));
    assert_int_equal(use(other), 1);
    EVP_PKEY_free(other);
    assert_int_equal(use(waiting), 0);
    assert_reason("blob was opened before", "");
    EVP_PKEY_free(waiting);
    EVP_PKEY_free(key);
}

static void asking_for_a_size_makes_no_blob(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "RC4", 16), *waiting, *other;
    static struct exported blob;
    uint8_t small[8];
    size_t size = 0;

    (void)state;
    assert_int_equal(export_transfer(key, &blob), 1);
    assert_non_null(waiting = import_transfer(&blob));
    assert_int_equal(EVP_PKEY_get_octet_string_param(waiting, "opaque-blob", NULL, 0, &size), 1);
    assert_true(size > 100);
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(waiting, "opaque-blob", small, sizeof(small), &size), 0);
    ERR_clear_error();
    assert_non_null(other = import_transfer(&blob));
    assert_int_equal(use(other), 1);
    EVP_PKEY_free(other);
    EVP_PKEY_free(waiting);
    EVP_PKEY_free(key);
}

/* What marks the master keys of SSL 2.0 is refused for another key, though nothing else was set. */
static void a_mark_is_kept_with_the_key_on_its_own(void **state)
{
    unsigned yes = 1;
    OSSL_PARAM mark[] = { OSSL_PARAM_construct_uint("ssl2-fallback", &yes),
                          OSSL_PARAM_construct_end() };
    const OSSL_PARAM receiver[] = { text_param("exchange-key", public_path),
                                    OSSL_PARAM_construct_end() };
    EVP_PKEY *key = secret_key(libctx, "AES-128-CBC", 16);
    struct exported blob;

    (void)state;
    assert_int_equal(export_as(key, "simpleblob", receiver, &blob), 1);
    assert_int_equal(EVP_PKEY_set_params(key, mark), 1);
    assert_int_equal(export_as(key, "simpleblob", receiver, &blob), 0);
    assert_reason("wrong kind of key", "ssl2-fallback: marks the master key of SSL 2.0");
    EVP_PKEY_free(key);
}

static int allow(EVP_PKEY *key, unsigned allowed)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("allow-plaintext", &allowed),
                            OSSL_PARAM_construct_end() };

    return EVP_PKEY_set_params(key, params);
}

static void of_two_values_kept_the_last_one_counts(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "AES-128-CBC", 16);
    struct exported blob;

    (void)state;
    assert_int_equal(allow(key, 1), 1);
    assert_int_equal(export_as(key, "plaintextblob", NULL, &blob), 1);
    assert_int_equal(allow(key, 0), 1);
    assert_int_equal(export_as(key, "plaintextblob", NULL, &blob), 0);
    assert_reason(NULL, "allow-plaintext");
    assert_int_equal(allow(key, 1), 1);
    assert_int_equal(export_as(key, "plaintextblob", NULL, &blob), 1);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_kept_with_the_key_on_its_own),
        cmocka_unit_test(of_two_values_kept_the_last_one_counts),
        cmocka_unit_test(options_are_kept_and_used_by_later_exports),
        cmocka_unit_test(options_of_one_export_come_first),
        cmocka_unit_test(options_are_never_written_into_a_blob),
        cmocka_unit_test(an_option_of_another_type_is_a_conflict),
        cmocka_unit_test(an_option_that_is_no_text_is_not_overlooked_either),
        cmocka_unit_test(a_signature_that_is_expected_cannot_be_left_out),
        cmocka_unit_test(a_transfer_inside_is_claimed_by_its_first_use_only),
        cmocka_unit_test(a_refused_export_does_not_claim_a_transfer),
        cmocka_unit_test(asking_for_a_size_makes_no_blob),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
