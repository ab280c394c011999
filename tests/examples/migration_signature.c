/*
 * CryptSignHash and CryptVerifySignature with RSA, CALG_SSL3_SHAMD5 and CRYPT_NOHASHOID: OpenSSL's own
 * RSA, and the byte order turned round.  See schannel-migration(7), "Signatures".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <schannel/names.h>

#define SIGNATURE_SIZE 256

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* CryptoAPI's signatures are little-endian, OpenSSL's and TLS's big-endian. */
static void turn_round(unsigned char *signature)
{
    for (int n = 0; n < SIGNATURE_SIZE / 2; n++) {
        unsigned char byte = signature[n];

        signature[n] = signature[SIGNATURE_SIZE - 1 - n];
        signature[SIGNATURE_SIZE - 1 - n] = byte;
    }
}

/* |digest| NULL: CRYPT_NOHASHOID, the hash alone and no DigestInfo around it */
static EVP_PKEY_CTX *prepare(EVP_PKEY *key, int sign, const EVP_MD *digest)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    must((sign ? EVP_PKEY_sign_init(context) : EVP_PKEY_verify_init(context)) > 0 &&
             EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0 &&
             (digest == NULL || EVP_PKEY_CTX_set_signature_md(context, digest) > 0),
         "prepare");
    return context;
}

/* CryptSignHash(hHash, AT_KEYEXCHANGE, NULL, 0 or CRYPT_NOHASHOID, signature, &size) */
static void sign_hash(EVP_PKEY *key, const EVP_MD *digest, const unsigned char *hash,
                      size_t hash_size, unsigned char signature[SIGNATURE_SIZE])
{
    EVP_PKEY_CTX *context = prepare(key, 1, digest);
    size_t size = SIGNATURE_SIZE;

    must(EVP_PKEY_sign(context, signature, &size, hash, hash_size) > 0 && size == SIGNATURE_SIZE,
         "sign");
    turn_round(signature);
    EVP_PKEY_CTX_free(context);
}

/* CryptVerifySignature(hHash, signature, size, hPubKey, NULL, 0 or CRYPT_NOHASHOID) */
static int verify_signature(EVP_PKEY *key, const EVP_MD *digest, const unsigned char *hash,
                            size_t hash_size, const unsigned char signature[SIGNATURE_SIZE])
{
    EVP_PKEY_CTX *context = prepare(key, 0, digest);
    unsigned char turned[SIGNATURE_SIZE];
    int result;

    memcpy(turned, signature, sizeof(turned));
    turn_round(turned);
    result = EVP_PKEY_verify(context, turned, sizeof(turned), hash, hash_size);
    EVP_PKEY_CTX_free(context);
    return result == 1;
}

int main(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    static const unsigned char data[] = "all handshake messages so far";
    unsigned char sha1[20], both[36], signature[SIGNATURE_SIZE], other[SIGNATURE_SIZE];
    EVP_PKEY *key = NULL;

    must(base != NULL && (key = EVP_RSA_gen(8 * SIGNATURE_SIZE)) != NULL, "an RSA key");

    /* CryptCreateHash(CALG_SHA), CryptHashData, CryptSignHash */
    must(EVP_Digest(data, sizeof(data), sha1, NULL, EVP_sha1(), NULL), "SHA-1");
    sign_hash(key, EVP_sha1(), sha1, sizeof(sha1), signature);
    must(verify_signature(key, EVP_sha1(), sha1, sizeof(sha1), signature), "verify");
    sha1[0] ^= 1;
    must(!verify_signature(key, EVP_sha1(), sha1, sizeof(sha1), signature), "not of another hash");
    ERR_clear_error();

    /* CryptCreateHash(CALG_SSL3_SHAMD5), CryptSetHashParam(HP_HASHVAL), CryptSignHash: MD5 || SHA-1
     * and no OID, which is how certificates are verified in SSL 3.0 and TLS 1.0 */
    must(EVP_Digest(data, sizeof(data), both, NULL, EVP_md5(), NULL) &&
             EVP_Digest(data, sizeof(data), both + 16, NULL, EVP_sha1(), NULL),
         "MD5 and SHA-1");
    sign_hash(key, EVP_md5_sha1(), both, sizeof(both), signature);
    must(verify_signature(key, EVP_md5_sha1(), both, sizeof(both), signature), "verify SHAMD5");

    /* The same is CRYPT_NOHASHOID over the 36 bytes. */
    sign_hash(key, NULL, both, sizeof(both), other);
    must(memcmp(signature, other, sizeof(other)) == 0, "no OID is no OID");

    EVP_PKEY_free(key);
    OSSL_PROVIDER_unload(base);
    return 0;
}
