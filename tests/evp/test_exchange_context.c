/*
 * Exchanged and signed blobs in library contexts of other kinds: without the default provider, with
 * default properties of fips=yes, and inside of another provider, in a child of a context.
 */
#include "blob_calls.h"

#include <unistd.h>
#include <openssl/core_dispatch.h>

#define UNAVAILABLE "algorithm is not available"

static char private_path[96], public_path[96], file_path[96];
static struct exported simple, signed_blob, refused;
static EVP_PKEY *key;

static int setup(void **state)
{
    OSSL_PARAM receiver[] = { text_param("exchange-key", public_path), OSSL_PARAM_construct_end() };

    if (fixture_setup(state) != 0)
        return -1;
    snprintf(private_path, sizeof(private_path), "%s/rsa.pem", directory);
    snprintf(public_path, sizeof(public_path), "%s/rsa.pub.pem", directory);
    snprintf(file_path, sizeof(file_path), "%s/blob", directory);
    write_rsa_key(private_path, public_path, 2048);
    receiver[0] = text_param("exchange-key", public_path);
    key = secret_key(libctx, "AES-128-CBC", 16);
    assert_int_equal(export_as(key, "simpleblob", receiver, &simple), 1);
    return 0;
}

static int teardown(void **state)
{
    EVP_PKEY_free(key);
    unlink(private_path);
    unlink(public_path);
    unlink(file_path);
    return fixture_teardown(state);
}

/* ---- the calls ---- */

static int export_simple(EVP_PKEY *from, struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("exchange-key", public_path), OSSL_PARAM_construct_end() };

    return export_as(from, "simpleblob", params, blob);
}

static int export_signed(EVP_PKEY *from, struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("signature-key", private_path),
                            text_param("exchange-key", public_path),
                            text_param("inner", "simpleblob"), OSSL_PARAM_construct_end() };

    return export_as(from, "signedblob", params, blob);
}

static EVP_PKEY *import_simple(OSSL_LIB_CTX *context, const struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("exchange-key", private_path), OSSL_PARAM_construct_end() };

    return import_from(context, blob, params);
}

static EVP_PKEY *import_signed(OSSL_LIB_CTX *context, const struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("exchange-key", private_path),
                            text_param("signature-key", public_path), OSSL_PARAM_construct_end() };

    return import_from(context, blob, params);
}

static OSSL_LIB_CTX *new_context(OSSL_PROVIDER **schannel)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();

    assert_non_null(context);
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(context, MODULE_DIR), 1);
    assert_non_null(*schannel = OSSL_PROVIDER_load(context, "schannel"));
    return context;
}

/* ---- contexts that lack something ---- */

/* An algorithm or random numbers: what is missed first depends on what was there before. */
static void expect_unavailable(OSSL_LIB_CTX *context, const char *says)
{
    assert_null(import_simple(context, &simple));
    assert_reason(NULL, says);
    assert_null(import_signed(context, &signed_blob));
    assert_reason(UNAVAILABLE, says);
}

static void without_the_default_provider_that_is_said(void **state)
{
    OSSL_PROVIDER *schannel, *standard;
    OSSL_LIB_CTX *context = new_context(&schannel);
    EVP_PKEY *alone, *again;

    (void)state;
    assert_int_equal(export_signed(key, &signed_blob), 1);
    expect_unavailable(context, "load the default provider");
    alone = secret_key(context, "AES-128-CBC", 16);
    assert_int_equal(export_simple(alone, &refused), 0);
    assert_reason(UNAVAILABLE, "load the default provider");
    assert_int_equal(export_signed(alone, &refused), 0);
    assert_reason(UNAVAILABLE, "load the default provider");
    /* It may come later. */
    assert_non_null(standard = OSSL_PROVIDER_load(context, "default"));
    assert_non_null(again = import_signed(context, &signed_blob));
    assert_int_equal(EVP_PKEY_eq(alone, again), 1);
    EVP_PKEY_free(again);
    assert_int_equal(export_signed(alone, &refused), 1);
    EVP_PKEY_free(alone);
    OSSL_PROVIDER_unload(standard);
    OSSL_PROVIDER_unload(schannel);
    OSSL_LIB_CTX_free(context);
}

static void default_properties_of_fips_are_said(void **state)
{
    OSSL_PROVIDER *schannel, *standard;
    OSSL_LIB_CTX *context = new_context(&schannel);
    EVP_PKEY *here;

    (void)state;
    assert_int_equal(export_signed(key, &signed_blob), 1);
    assert_non_null(standard = OSSL_PROVIDER_load(context, "default"));
    here = secret_key(context, "AES-128-CBC", 16);
    assert_int_equal(export_simple(here, &refused), 1);
    assert_int_equal(EVP_default_properties_enable_fips(context, 1), 1);
    expect_unavailable(context, "fips=yes");
    assert_int_equal(export_simple(here, &refused), 0);
    assert_reason(UNAVAILABLE, "fips=yes");
    assert_int_equal(export_signed(here, &refused), 0);
    assert_reason(UNAVAILABLE, "fips=yes");
    assert_int_equal(EVP_default_properties_enable_fips(context, 0), 1);
    EVP_PKEY_free(here);
    assert_non_null(here = import_simple(context, &simple));
    EVP_PKEY_free(here);
    OSSL_PROVIDER_unload(standard);
    OSSL_PROVIDER_unload(schannel);
    OSSL_LIB_CTX_free(context);
}

/* ---- inside of another provider ---- */

static OSSL_LIB_CTX *child;

static void nest_teardown(void *context)
{
    OSSL_LIB_CTX_free(context);
}

static int nest_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                     const OSSL_DISPATCH **out, void **context)
{
    static const OSSL_DISPATCH functions[] = {
        { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))nest_teardown },
        { 0, NULL },
    };

    *context = child = OSSL_LIB_CTX_new_child(core, in);
    *out = functions;
    return child != NULL;
}

static void exchange(OSSL_LIB_CTX *from, OSSL_LIB_CTX *to)
{
    EVP_PKEY *sent = secret_key(from, "TLS1-MASTER", 48), *received;
    static struct exported blob;
    char uri[300];

    assert_int_equal(export_simple(sent, &blob), 1);
    assert_non_null(received = import_simple(to, &blob));
    assert_int_equal(EVP_PKEY_eq(sent, received), 1);
    EVP_PKEY_free(received);
    write_file(file_path, blob.data, blob.size);
    snprintf(uri, sizeof(uri), "schannel:%s?exchange-key=%s", file_path, private_path);
    assert_non_null(received = import_uri(to, uri));
    assert_int_equal(EVP_PKEY_eq(sent, received), 1);
    EVP_PKEY_free(received);
    assert_int_equal(export_signed(sent, &blob), 1);
    assert_non_null(received = import_signed(to, &blob));
    assert_int_equal(EVP_PKEY_eq(sent, received), 1);
    EVP_PKEY_free(received);
    EVP_PKEY_free(sent);
}

static void a_child_context_exchanges_with_its_parent(void **state)
{
    OSSL_PROVIDER *nest;

    (void)state;
    assert_int_equal(OSSL_PROVIDER_add_builtin(libctx, "nest", nest_init), 1);
    assert_non_null(nest = OSSL_PROVIDER_load(libctx, "nest"));
    exchange(child, libctx);
    exchange(libctx, child);
    exchange(child, child);
    assert_int_equal(OSSL_PROVIDER_unload(nest), 1);
    exchange(libctx, libctx);
}

/* ---- two activations at once ---- */

static void two_contexts_know_nothing_of_each_other(void **state)
{
    OSSL_PROVIDER *schannel, *standard;
    OSSL_LIB_CTX *context = new_context(&schannel);

    (void)state;
    assert_non_null(standard = OSSL_PROVIDER_load(context, "default"));
    exchange(context, libctx);
    exchange(libctx, context);
    OSSL_PROVIDER_unload(standard);
    OSSL_PROVIDER_unload(schannel);
    OSSL_LIB_CTX_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_default_provider_that_is_said),
        cmocka_unit_test(default_properties_of_fips_are_said),
        cmocka_unit_test(a_child_context_exchanges_with_its_parent),
        cmocka_unit_test(two_contexts_know_nothing_of_each_other),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
