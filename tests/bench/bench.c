/*
 * The benchmark: this provider against what a user would take instead, side by side.
 *
 *     build/tests/bench/schannel-bench [kdf] [bulk] [mac] [blob]
 *
 * Public APIs only on either side.  Numbers are for reading; nothing passes or fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <schannel/names.h>
#include "timing.h"

#define MASTER_SIZE 48
#define RANDOM_SIZE 32
#define MAX_DATA    16384

static unsigned char master[MASTER_SIZE], randoms[2][RANDOM_SIZE], data[MAX_DATA + 32];

static OSSL_PARAM octets(const char *name, void *value, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, value, size);
}

static OSSL_PARAM text(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

/* ---- key derivation ---- */

struct kdf {
    EVP_KDF_CTX *context;
    size_t size;
};

static void make_kdf(struct kdf *kdf, const char *name, size_t size, OSSL_PARAM params[])
{
    EVP_KDF *fetched = EVP_KDF_fetch(NULL, name, NULL);

    kdf->context = fetched == NULL ? NULL : EVP_KDF_CTX_new(fetched);
    kdf->size = size;
    if (kdf->context == NULL || EVP_KDF_CTX_set_params(kdf->context, params) <= 0)
        die(name);
    EVP_KDF_free(fetched);
}

/* A new connection each time: other randoms, the same master. */
static void derive_ours(void *state, size_t count)
{
    struct kdf *kdf = state;
    unsigned char out[136];
    OSSL_PARAM params[] = { octets(SCHANNEL_PARAM_CLIENT_RANDOM, randoms[0], RANDOM_SIZE),
                            octets(SCHANNEL_PARAM_SERVER_RANDOM, randoms[1], RANDOM_SIZE),
                            OSSL_PARAM_construct_end() };

    for (; count != 0; count--) {
        randoms[0][0]++;
        if (EVP_KDF_derive(kdf->context, out, kdf->size, params) <= 0)
            die("our KDF");
    }
}

static void derive_prf(void *state, size_t count)
{
    struct kdf *kdf = state;
    unsigned char out[136];

    for (; count != 0; count--) {
        OSSL_PARAM params[] = {
            octets(OSSL_KDF_PARAM_SECRET, master, MASTER_SIZE),
            octets(OSSL_KDF_PARAM_SEED, (void *)(uintptr_t) "key expansion", 13),
            octets(OSSL_KDF_PARAM_SEED, randoms[1], RANDOM_SIZE),
            octets(OSSL_KDF_PARAM_SEED, randoms[0], RANDOM_SIZE), OSSL_PARAM_construct_end()
        };

        randoms[0][0]++;
        EVP_KDF_CTX_reset(kdf->context);
        params[0] = octets(OSSL_KDF_PARAM_SECRET, master, MASTER_SIZE);
        if (EVP_KDF_CTX_set_params(kdf->context,
                                   (OSSL_PARAM[]){ text(OSSL_KDF_PARAM_DIGEST, "MD5-SHA1"),
                                                   OSSL_PARAM_construct_end() }) <= 0 ||
            EVP_KDF_derive(kdf->context, out, kdf->size, params) <= 0)
            die("TLS1-PRF");
    }
}

/* The formula of RFC 6101 with digest contexts that are kept. */
static void derive_ssl3_formula(void *state, size_t count)
{
    static EVP_MD_CTX *md5_context, *sha1_context;
    static EVP_MD *md5, *sha1;
    struct kdf *kdf = state;
    unsigned char out[144], inner[20];

    if (md5 == NULL) {
        md5 = EVP_MD_fetch(NULL, "MD5", NULL);
        sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
        md5_context = EVP_MD_CTX_new();
        sha1_context = EVP_MD_CTX_new();
    }
    for (; count != 0; count--) {
        randoms[0][0]++;
        for (size_t n = 0; 16 * n < kdf->size; n++) {
            char letters[26];

            memset(letters, (int)('A' + n), n + 1);
            if (!EVP_DigestInit_ex2(sha1_context, sha1, NULL) ||
                !EVP_DigestUpdate(sha1_context, letters, n + 1) ||
                !EVP_DigestUpdate(sha1_context, master, MASTER_SIZE) ||
                !EVP_DigestUpdate(sha1_context, randoms[1], RANDOM_SIZE) ||
                !EVP_DigestUpdate(sha1_context, randoms[0], RANDOM_SIZE) ||
                !EVP_DigestFinal_ex(sha1_context, inner, NULL) ||
                !EVP_DigestInit_ex2(md5_context, md5, NULL) ||
                !EVP_DigestUpdate(md5_context, master, MASTER_SIZE) ||
                !EVP_DigestUpdate(md5_context, inner, sizeof(inner)) ||
                !EVP_DigestFinal_ex(md5_context, out + 16 * n, NULL))
                die("the formula");
        }
    }
}

static void bench_kdf(void)
{
    OSSL_PARAM ours[] = { octets(SCHANNEL_PARAM_SECRET, master, MASTER_SIZE),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM theirs[] = { text(OSSL_KDF_PARAM_DIGEST, "MD5-SHA1"), OSSL_PARAM_construct_end() };
    static const size_t sizes[] = { 104, 136 };
    struct kdf own, other;
    char line[64];

    for (size_t n = 0; n < 2; n++) {
        struct contender a = { "TLS1-KDF", derive_ours, &own };
        struct contender b = { "TLS1-PRF", derive_prf, &other };

        make_kdf(&own, SCHANNEL_KDF_TLS1, sizes[n], ours);
        make_kdf(&other, "TLS1-PRF", sizes[n], theirs);
        snprintf(line, sizeof(line), "TLS 1.0 key block, %zu bytes", sizes[n]);
        compare(line, &a, &b);
        EVP_KDF_CTX_free(own.context);
        EVP_KDF_CTX_free(other.context);
    }
    {
        struct contender a = { "SSL3-KDF", derive_ours, &own };
        struct contender b = { "EVP_MD", derive_ssl3_formula, &own };

        make_kdf(&own, SCHANNEL_KDF_SSL3, 104, ours);
        compare("SSL 3.0 key block, 104 bytes", &a, &b);
        EVP_KDF_CTX_free(own.context);
    }
}

/* ---- bulk ciphers ---- */

static EVP_PKEY *make_key(const char *alg, const char *digest, size_t size)
{
    OSSL_PARAM params[] = { text(SCHANNEL_PARAM_ALG, alg),
                            octets(SCHANNEL_PARAM_SECRET, master, size), OSSL_PARAM_construct_end(),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    EVP_PKEY *key = NULL;

    if (digest != NULL)
        params[2] = text(SCHANNEL_PARAM_DIGEST, digest);
    if (EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        die(alg);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void get_handle(EVP_PKEY *key, unsigned char handle[16])
{
    size_t size;

    if (!EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle, 16, &size))
        die("key-handle");
}

struct bulk {
    EVP_CIPHER_CTX *context;
    size_t size;
};

static void encrypt(void *state, size_t count)
{
    struct bulk *bulk = state;
    int written;

    for (; count != 0; count--) {
        if (!EVP_EncryptUpdate(bulk->context, data, &written, data, (int)bulk->size))
            die("EVP_EncryptUpdate");
    }
}

static void bench_cipher(const char *alg, size_t key_size)
{
    static const size_t sizes[] = { 64, 1024, 16384 };
    char name[64], line[64];
    unsigned char handle[16];
    OSSL_PARAM bind[] = { octets(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_PKEY *key = make_key(alg, NULL, key_size);
    EVP_CIPHER *ours, *theirs = EVP_CIPHER_fetch(NULL, alg, "provider!=schannel");
    struct bulk own = { EVP_CIPHER_CTX_new(), 0 }, other = { EVP_CIPHER_CTX_new(), 0 };

    snprintf(name, sizeof(name), "SCHANNEL-%s", alg);
    ours = EVP_CIPHER_fetch(NULL, name, NULL);
    get_handle(key, handle);
    if (ours == NULL || theirs == NULL ||
        !EVP_EncryptInit_ex2(own.context, ours, NULL, NULL, bind) ||
        !EVP_EncryptInit_ex2(other.context, theirs, master, master, NULL))
        die(name);
    EVP_CIPHER_CTX_set_padding(other.context, 0);
    for (size_t n = 0; n < 3; n++) {
        struct contender a = { "bound", encrypt, &own }, b = { "OpenSSL's", encrypt, &other };

        own.size = other.size = sizes[n];
        snprintf(line, sizeof(line), "%s, %zu bytes", alg, sizes[n]);
        compare(line, &a, &b);
    }
    EVP_CIPHER_CTX_free(own.context);
    EVP_CIPHER_CTX_free(other.context);
    EVP_CIPHER_free(ours);
    EVP_CIPHER_free(theirs);
    EVP_PKEY_free(key);
}

static void bench_bulk(void)
{
    bench_cipher("AES-128-CBC", 16);
    bench_cipher("AES-256-CBC", 32);
    bench_cipher("DES-EDE3-CBC", 24);
    bench_cipher("RC2-CBC", 16);
    bench_cipher("RC4", 16);
}

/* ---- record MACs ---- */

struct record_mac {
    EVP_MAC_CTX *context;
    unsigned size;
    unsigned long long sequence;
};

static void mac_record(void *state, size_t count)
{
    struct record_mac *mac = state;
    unsigned length = mac->size;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_LENGTH, &length),
                            OSSL_PARAM_construct_end() };
    unsigned char out[20];
    size_t size;

    for (; count != 0; count--) {
        if (!EVP_MAC_CTX_set_params(mac->context, params) ||
            !EVP_MAC_update(mac->context, data, mac->size) ||
            !EVP_MAC_final(mac->context, out, &size, sizeof(out)))
            die("TLS1-MAC");
    }
}

static void mac_hmac(void *state, size_t count)
{
    struct record_mac *mac = state;
    unsigned char out[20], header[13];
    size_t size;

    for (; count != 0; count--) {
        mac->sequence++;
        for (size_t n = 0; n < 8; n++)
            header[n] = (unsigned char)(mac->sequence >> (56 - 8 * n));
        header[8] = 23;
        header[9] = 3;
        header[10] = 1;
        header[11] = (unsigned char)(mac->size >> 8);
        header[12] = (unsigned char)mac->size;
        if (!EVP_MAC_init(mac->context, NULL, 0, NULL) ||
            !EVP_MAC_update(mac->context, header, sizeof(header)) ||
            !EVP_MAC_update(mac->context, data, mac->size) ||
            !EVP_MAC_final(mac->context, out, &size, sizeof(out)))
            die("HMAC");
    }
}

static EVP_MAC_CTX *new_mac(const char *name)
{
    EVP_MAC *fetched = EVP_MAC_fetch(NULL, name, NULL);
    EVP_MAC_CTX *context = fetched == NULL ? NULL : EVP_MAC_CTX_new(fetched);

    if (context == NULL)
        die(name);
    EVP_MAC_free(fetched);
    return context;
}

static void bench_mac_digest(const char *digest, size_t key_size)
{
    static const unsigned sizes[] = { 64, 1024, 16384 };
    unsigned type = 23, version = 0x301;
    unsigned char handle[16];
    OSSL_PARAM bind[] = { octets(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
                          OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type),
                          OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_VERSION, &version),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM hmac[] = { text(OSSL_MAC_PARAM_DIGEST, digest), OSSL_PARAM_construct_end() };
    EVP_PKEY *key = make_key(SCHANNEL_ALG_TLS1_MAC, digest, key_size);
    struct record_mac own = { new_mac(SCHANNEL_MAC_TLS1), 0, 0 }, other = { new_mac("HMAC"), 0, 0 };
    char line[64];

    get_handle(key, handle);
    if (!EVP_MAC_init(own.context, NULL, 0, bind) ||
        !EVP_MAC_init(other.context, master, key_size, hmac))
        die("EVP_MAC_init");
    for (size_t n = 0; n < 3; n++) {
        struct contender a = { "TLS1-MAC", mac_record, &own }, b = { "HMAC", mac_hmac, &other };

        own.size = other.size = sizes[n];
        snprintf(line, sizeof(line), "record MAC, %s, %u bytes", digest, sizes[n]);
        compare(line, &a, &b);
    }
    EVP_MAC_CTX_free(own.context);
    EVP_MAC_CTX_free(other.context);
    EVP_PKEY_free(key);
}

static void bench_mac(void)
{
    bench_mac_digest("SHA1", 20);
    bench_mac_digest("MD5", 16);
}

/* ---- moving four keys ---- */

static EVP_PKEY *connection[4];

static EVP_PKEY *import_blob(unsigned char *blob, size_t size)
{
    OSSL_PARAM params[] = { octets(SCHANNEL_PARAM_OPAQUE_BLOB, blob, size),
                            text(SCHANNEL_PARAM_SEAL_KEY, "runtime"), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        die("the import");
    EVP_PKEY_CTX_free(context);
    return key;
}

static void move_keys(void *state, size_t count)
{
    unsigned char blob[512];
    size_t size;

    (void)state;
    for (; count != 0; count--) {
        for (size_t n = 0; n < 4; n++) {
            if (!EVP_PKEY_get_octet_string_param(connection[n], SCHANNEL_PARAM_OPAQUE_BLOB, blob,
                                                 sizeof(blob), &size))
                die("the export");
            EVP_PKEY_free(import_blob(blob, size));
        }
    }
}

/* What cannot be avoided: a key derivation and an AEAD pass for each export and each import. */
static void bare_calls(void *state, size_t count)
{
    static EVP_KDF_CTX *hkdf;
    static EVP_CIPHER *aead;
    static EVP_CIPHER_CTX *context;
    unsigned char keys[76], sealed[256], tag[16];
    int written;

    (void)state;
    if (hkdf == NULL) {
        EVP_KDF *fetched = EVP_KDF_fetch(NULL, "HKDF", NULL);

        hkdf = EVP_KDF_CTX_new(fetched);
        EVP_KDF_free(fetched);
        aead = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
        context = EVP_CIPHER_CTX_new();
    }
    for (; count != 0; count--) {
        for (int n = 0; n < 8; n++) {
            OSSL_PARAM params[] = { text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
                                    octets(OSSL_KDF_PARAM_KEY, master, 32),
                                    octets(OSSL_KDF_PARAM_SALT, randoms[0], 16),
                                    octets(OSSL_KDF_PARAM_INFO, randoms[1], 31),
                                    OSSL_PARAM_construct_end() };
            int encrypt_it = n % 2 == 0;

            if (EVP_KDF_derive(hkdf, keys, sizeof(keys), params) <= 0 ||
                !EVP_CipherInit_ex2(context, aead, keys, keys + 32, encrypt_it, NULL) ||
                !EVP_CipherUpdate(context, NULL, &written, data, 59) ||
                !EVP_CipherUpdate(context, sealed, &written, data, 90) ||
                (encrypt_it && (!EVP_CipherFinal_ex(context, sealed + written, &written) ||
                                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) <= 0)))
                die("the bare calls");
        }
    }
}

static void bench_blob(void)
{
    static const char *const seal_key = "runtime";
    struct contender a = { "four keys", move_keys, NULL }, b = { "bare calls", bare_calls, NULL };

    connection[0] = make_key(SCHANNEL_ALG_AES_128_CBC, NULL, 16);
    connection[1] = make_key(SCHANNEL_ALG_AES_128_CBC, NULL, 16);
    connection[2] = make_key(SCHANNEL_ALG_TLS1_MAC, "SHA1", 20);
    connection[3] = make_key(SCHANNEL_ALG_TLS1_MAC, "SHA1", 20);
    for (size_t n = 0; n < 4; n++) {
        OSSL_PARAM params[] = { text(SCHANNEL_PARAM_SEAL_KEY, seal_key),
                                OSSL_PARAM_construct_end() };

        if (!EVP_PKEY_set_params(connection[n], params))
            die("seal-key");
    }
    compare("export and import of a connection", &a, &b);
    for (size_t n = 0; n < 4; n++)
        EVP_PKEY_free(connection[n]);
}

/* ---- */

static const struct {
    const char *name;
    void (*run)(void);
} parts[] = {
    { "kdf", bench_kdf },
    { "bulk", bench_bulk },
    { "mac", bench_mac },
    { "blob", bench_blob },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int is_wanted(const char *name, int argc, char **argv)
{
    for (int n = 1; n < argc; n++) {
        if (strcmp(argv[n], name) == 0)
            return 1;
    }
    return argc == 1;
}

int main(int argc, char **argv)
{
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
    OSSL_PROVIDER *ours;

    OSSL_PROVIDER_set_default_search_path(NULL, MODULE_DIR);
    ours = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    if (standard == NULL || legacy == NULL || ours == NULL)
        die("loading the providers");
    memset(master, 7, sizeof(master));
    for (size_t n = 0; n < PARTS; n++) {
        if (is_wanted(parts[n].name, argc, argv))
            parts[n].run();
    }
    OSSL_PROVIDER_unload(ours);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    return 0;
}
