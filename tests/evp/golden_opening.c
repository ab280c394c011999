/* Opening golden blobs with the provider: see golden_opening.h. */
#include "golden_opening.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/decoder.h>

char golden_seal_key[64], golden_claims[64];

/* Made once: tests open a blob some ten thousand times. */
static EVP_PKEY_CTX *import_context;
static EVP_MAC *macs[GOLDEN_TLS1 + 1];

static const char *const mac_names[] = { NULL, "PCT1-MAC", "SSL2-MAC", "SSL3-MAC", "TLS1-MAC" };

int golden_setup(void **state)
{
    uint8_t secret[GOLDEN_SECRET_SIZE];
    FILE *file;
    int result = fixture_setup(state);

    snprintf(golden_seal_key, sizeof(golden_seal_key), "file:%s/golden", directory);
    snprintf(golden_claims, sizeof(golden_claims), "%s/golden-claims", directory);
    assert_int_equal(mkdir(golden_claims, 0700), 0);
    golden_sealing_key(secret);
    file = fopen(golden_seal_key + 5, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(secret, 1, sizeof(secret), file), sizeof(secret));
    fclose(file);
    assert_int_equal(chmod(golden_seal_key + 5, 0600), 0);
    import_context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    assert_non_null(import_context);
    assert_int_equal(EVP_PKEY_fromdata_init(import_context), 1);
    for (size_t n = GOLDEN_PCT1; n <= GOLDEN_TLS1; n++) {
        macs[n] = EVP_MAC_fetch(libctx, mac_names[n], NULL);
        assert_non_null(macs[n]);
    }
    return result;
}

int golden_teardown(void **state)
{
    EVP_PKEY_CTX_free(import_context);
    for (size_t n = GOLDEN_PCT1; n <= GOLDEN_TLS1; n++)
        EVP_MAC_free(macs[n]);
    golden_forget_claims();
    rmdir(golden_claims);
    unlink(golden_seal_key + 5);
    return fixture_teardown(state);
}

/* Steps through the claims; the name of the last one stays. */
static size_t walk_claims(int remove_them, char name[128])
{
    DIR *stream = opendir(golden_claims);
    struct dirent *entry;
    size_t count = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        snprintf(name, 128, "%.127s", entry->d_name);
        if (remove_them)
            assert_int_equal(unlinkat(dirfd(stream), entry->d_name, 0), 0);
    }
    closedir(stream);
    return count;
}

void golden_forget_claims(void)
{
    char name[128];

    walk_claims(1, name);
}

void golden_claim_name(size_t count, char name[128])
{
    name[0] = '\0';
    assert_int_equal(walk_claims(0, name), count);
}

/* What stands beside every blob: seal-key, claim-dir and perhaps audience. */
static OSSL_PARAM *put_options(OSSL_PARAM *p, const char *audience)
{
    *p++ = text_param("seal-key", golden_seal_key);
    *p++ = text_param("claim-dir", golden_claims);
    if (audience != NULL)
        *p++ = text_param("audience", audience);
    return p;
}

EVP_PKEY *golden_import(const uint8_t *blob, size_t size, const char *audience)
{
    OSSL_PARAM params[5] = { octets_param("opaque-blob", blob, size) };

    EVP_PKEY *key = NULL;

    *put_options(params + 1, audience) = OSSL_PARAM_construct_end();
    return EVP_PKEY_fromdata(import_context, &key, EVP_PKEY_KEYPAIR, params) > 0 ? key : NULL;
}

EVP_PKEY *golden_decode(const uint8_t *blob, size_t size, const char *audience,
                        const char *passphrase)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context = OSSL_DECODER_CTX_new_for_pkey(&key, "opaqueblob", NULL, "SCHANNEL",
                                                              EVP_PKEY_KEYPAIR, libctx, NULL);
    OSSL_PARAM params[4];

    *put_options(params, audience) = OSSL_PARAM_construct_end();
    assert_int_equal(OSSL_DECODER_CTX_set_params(context, params), 1);
    if (passphrase != NULL)
        assert_int_equal(OSSL_DECODER_CTX_set_passphrase(context, (const unsigned char *)passphrase,
                                                         strlen(passphrase)),
                         1);
    if (!OSSL_DECODER_from_data(context, &blob, &size))
        key = NULL;
    OSSL_DECODER_CTX_free(context);
    return key;
}

EVP_PKEY *golden_open_key(const struct golden_case *golden, const uint8_t *blob, size_t size,
                          int by_decoder)
{
    EVP_PKEY *key;

    if (by_decoder || golden->has_passphrase)
        key = golden_decode(blob, size, golden->audience,
                            golden->has_passphrase ? GOLDEN_PASSWORD : NULL);
    else
        key = golden_import(blob, size, golden->audience);
    if (key == NULL)
        fail_msg("%s does not open", golden->name);
    return key;
}

static EVP_CIPHER_CTX *start_cipher(const char *alg, int encrypt, OSSL_PARAM params[])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher;
    char name[64];

    snprintf(name, sizeof(name), "SCHANNEL-%s", alg);
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_non_null(cipher);
    if (EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, params) <= 0) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    EVP_CIPHER_free(cipher);
    return context;
}

static EVP_MAC_CTX *start_mac(unsigned protocol, OSSL_PARAM params[])
{
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(macs[protocol]);

    assert_non_null(context);
    if (!EVP_MAC_init(context, NULL, 0, params)) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    return context;
}

EVP_CIPHER_CTX *golden_resume_cipher(const struct golden_case *golden, const uint8_t *blob,
                                     size_t size)
{
    OSSL_PARAM params[5] = { octets_param("opaque-blob", blob, size) };

    *put_options(params + 1, golden->audience) = OSSL_PARAM_construct_end();
    return start_cipher(golden_alg_of(golden)->name, golden->direction != GOLDEN_DECRYPT, params);
}

EVP_MAC_CTX *golden_resume_mac(const struct golden_case *golden, const uint8_t *blob, size_t size)
{
    OSSL_PARAM params[5] = { octets_param("opaque-blob", blob, size) };

    *put_options(params + 1, golden->audience) = OSSL_PARAM_construct_end();
    return start_mac(golden_protocol(golden), params);
}

EVP_CIPHER_CTX *golden_bind_cipher(EVP_PKEY *key, const char *alg, int encrypt)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };

    get_handle(key, handle);
    return start_cipher(alg, encrypt, params);
}

EVP_MAC_CTX *golden_bind_mac(EVP_PKEY *key, unsigned protocol)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };

    get_handle(key, handle);
    return start_mac(protocol, params);
}
