/* What the tests through EVP share: see fixture.h. */
#include "fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#define PROVIDERS 3

OSSL_LIB_CTX *libctx;
char directory[] = "/tmp/schannel-evp.XXXXXX";
char seal_key_a[64], seal_key_b[64];

static OSSL_PROVIDER *providers[PROVIDERS];

static void write_sealing_key(const char *path, int seed)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    for (int n = 0; n < 32; n++)
        fputc(seed + n, file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

int fixture_files(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(seal_key_a, sizeof(seal_key_a), "file:%s/a", directory);
    snprintf(seal_key_b, sizeof(seal_key_b), "file:%s/b", directory);
    write_sealing_key(seal_key_a + 5, 1);
    write_sealing_key(seal_key_b + 5, 100);
    setenv("XDG_STATE_HOME", directory, 1);
    return 0;
}

int fixture_setup(void **state)
{
    fixture_files(state);
    libctx = OSSL_LIB_CTX_new();
    assert_non_null(libctx);
    providers[0] = OSSL_PROVIDER_load(libctx, "default");
    providers[1] = OSSL_PROVIDER_load(libctx, "legacy");
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(libctx, MODULE_DIR), 1);
    providers[2] = OSSL_PROVIDER_load(libctx, "schannel");
    for (size_t n = 0; n < PROVIDERS; n++)
        assert_non_null(providers[n]);
    return 0;
}

int fixture_teardown(void **state)
{
    for (size_t n = PROVIDERS; n-- > 0;)
        assert_int_equal(OSSL_PROVIDER_unload(providers[n]), 1);
    OSSL_LIB_CTX_free(libctx);
    return fixture_remove_files(state);
}

int fixture_remove_files(void **state)
{
    char path[128];

    (void)state;
    unlink(seal_key_a + 5);
    unlink(seal_key_b + 5);
    snprintf(path, sizeof(path), "%s/schannel/seal.key", directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/schannel", directory);
    rmdir(path);
    return rmdir(directory);
}

void assert_reason(const char *reason, const char *detail)
{
    const char *data;
    int flags, ours = 0;
    unsigned long error;

    while ((error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *library = ERR_lib_error_string(error);

        if (library == NULL || strcmp(library, "schannel") != 0)
            continue;
        ours++;
        if (reason != NULL)
            assert_string_equal(ERR_reason_error_string(error), reason);
        if (strstr(data, detail) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", data, detail);
    }
    assert_int_equal(ours, 1);
}

void assert_no_reason(void)
{
    unsigned long error;

    while ((error = ERR_get_error()) != 0) {
        const char *library = ERR_lib_error_string(error);

        if (library != NULL && strcmp(library, "schannel") == 0)
            fail_msg("a reason for no failure: %s", ERR_reason_error_string(error));
    }
}

void assert_no_errors(void)
{
    const char *file, *function, *data;
    int line, flags;
    const unsigned long error = ERR_peek_error_all(&file, &line, &function, &data, &flags);

    if (error != 0)
        fail_msg("left on the queue: %s in %s, %s:%d, \"%s\"", ERR_error_string(error, NULL),
                 function, file, line, data);
}

OSSL_PARAM text_param(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

OSSL_PARAM octets_param(const char *name, const void *data, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, size);
}

void pattern(uint8_t *out, size_t size, unsigned seed)
{
    for (size_t n = 0; n < size; n++)
        out[n] = (uint8_t)(seed + 31 * n);
}

EVP_PKEY *from_data(OSSL_PARAM params[])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

void get_id(EVP_PKEY *key, char id[32])
{
    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "key-id", id, 32, NULL), 1);
}

void get_handle(EVP_PKEY *key, uint8_t handle[KEY_HANDLE_SIZE])
{
    size_t size = 0;

    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, "key-handle", handle, KEY_HANDLE_SIZE, &size), 1);
    assert_int_equal(size, KEY_HANDLE_SIZE);
}

size_t export_blob(EVP_PKEY *key, uint8_t blob[MAX_BLOB])
{
    size_t size = 0, wanted = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "opaque-blob", NULL, 0, &wanted), 1);
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "opaque-blob", blob, MAX_BLOB, &size), 1);
    assert_int_equal(size, wanted);
    return size;
}

EVP_PKEY *import_blob(const uint8_t *blob, size_t size, const char *seal_key)
{
    OSSL_PARAM params[] = {
        octets_param("opaque-blob", blob, size),
        text_param("seal-key", seal_key),
        OSSL_PARAM_construct_end(),
    };

    return from_data(params);
}
