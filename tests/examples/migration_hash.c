/*
 * CryptCreateHash, CryptHashData, CryptHashSessionKey, CryptGetHashParam: record MACs, CALG_HMAC,
 * CALG_TLS1PRF, Finished of SSL 3.0 and TLS 1.0.  See schannel-migration(7), "Hashes".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <schannel/names.h>

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static EVP_PKEY *import(OSSL_PARAM known[])
{
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_fromdata_init(import) > 0 &&
             EVP_PKEY_fromdata(import, &key, EVP_PKEY_KEYPAIR, known) > 0,
         "import a key");
    EVP_PKEY_CTX_free(import);
    return key;
}

/* CryptCreateHash(CALG_HMAC, hMacKey), CryptHashData, CryptGetHashParam(HP_HASHVAL): raw mode, the
 * bytes that are given and no more.  The hash object is the context, the key is bound to it. */
static size_t mac(EVP_PKEY *key, const void *data, size_t size, unsigned char out[20])
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, SCHANNEL_MAC_TLS1, NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
    unsigned char handle[16];
    OSSL_PARAM binding[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_construct_end(),
    };
    size_t written = 0;

    must(EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle),
                                         NULL) &&
             EVP_MAC_init(context, NULL, 0, binding) && EVP_MAC_update(context, data, size) &&
             EVP_MAC_final(context, out, &written, 20),
         "compute a MAC");
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
    return written;
}

/* CryptCreateHash(CALG_TLS1PRF, hMaster), HP_TLS1PRF_LABEL, HP_TLS1PRF_SEED, HP_HASHVAL */
static size_t derive(EVP_PKEY *master, const OSSL_PARAM params[], unsigned char *out, size_t size)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, master, NULL);

    must(EVP_PKEY_derive_init_ex(context, params) > 0 && EVP_PKEY_derive(context, out, &size) > 0,
         "derive");
    EVP_PKEY_CTX_free(context);
    return size;
}

int main(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    unsigned char bytes[48] = "the bytes that both sides have", out[20], expected[20], seed[36];
    unsigned char prf[12], finished[36];
    static const char text[] = "a record", handshake[] = "all handshake messages";
    size_t length = sizeof(prf), size = 0;
    OSSL_PARAM mac_key[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_TLS1_MAC, 0),
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_DIGEST, "SHA1", 0),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_SECRET, bytes, 20),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM tls1[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_TLS1_MASTER, 0),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_SECRET, bytes, sizeof(bytes)),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM label_and_seed[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_USAGE, SCHANNEL_USAGE_PRF, 0),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_LABEL, "client finished", 15),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_SEED, seed, sizeof(seed)),
        OSSL_PARAM_construct_size_t(SCHANNEL_PARAM_KEYLEN, &length),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM client_finished[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_USAGE, SCHANNEL_USAGE_CLIENT_FINISHED, 0),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_HANDSHAKE, (void *)(size_t)handshake,
                                          sizeof(handshake)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key, *master;

    must(base != NULL && schannel != NULL, "load the providers");

    /* a record MAC: HMAC for TLS 1.0, which OpenSSL knows as well */
    key = import(mac_key);
    must(mac(key, text, sizeof(text), out) == sizeof(out), "20 bytes");
    must(EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, bytes, 20, (const unsigned char *)text,
                   sizeof(text), expected, sizeof(expected), &size) != NULL &&
             memcmp(out, expected, sizeof(out)) == 0,
         "the HMAC");

    /* TLS 1.0 Finished, by its formula and by its name */
    must(EVP_Digest(handshake, sizeof(handshake), seed, NULL, EVP_md5(), NULL) &&
             EVP_Digest(handshake, sizeof(handshake), seed + 16, NULL, EVP_sha1(), NULL),
         "MD5 and SHA-1 of the handshake");
    master = import(tls1);
    must(derive(master, label_and_seed, prf, sizeof(prf)) == 12, "PRF");
    must(derive(master, client_finished, finished, sizeof(finished)) == 12 &&
             memcmp(prf, finished, 12) == 0,
         "Finished of TLS 1.0");
    EVP_PKEY_free(master);

    /* CryptHashSessionKey(hHash, hMaster, CRYPT_LITTLE_ENDIAN) of SSL 3.0, twice: its Finished */
    tls1[0] = OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_SSL3_MASTER, 0);
    master = import(tls1);
    must(derive(master, client_finished, finished, sizeof(finished)) == 36, "Finished of SSL 3.0");

    EVP_PKEY_free(master);
    EVP_PKEY_free(key);
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(base);
    return 0;
}
