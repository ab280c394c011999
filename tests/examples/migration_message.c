/*
 * CryptEncrypt and CryptDecrypt, Final TRUE (messages) and Final FALSE (a stream of blocks): see
 * schannel-migration(7), "Encryption".
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

static EVP_PKEY *new_key(void)
{
    EVP_PKEY_CTX *generation = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_DES_EDE3_CBC, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_keygen_init(generation) > 0 && EVP_PKEY_CTX_set_params(generation, wanted) > 0 &&
             EVP_PKEY_generate(generation, &key) > 0,
         "generate a triple DES key");
    EVP_PKEY_CTX_free(generation);
    return key;
}

/*
 * CryptEncrypt(hKey, 0, TRUE, 0, data, &length, size) or CryptDecrypt: PKCS #5 padding, and the key is
 * at its IV again afterwards.
 */
static size_t message(EVP_PKEY *key, int encrypt, const unsigned char *in, size_t size,
                      unsigned char *out, size_t room)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int ok = encrypt ? EVP_PKEY_encrypt_init(context) > 0 &&
                           EVP_PKEY_encrypt(context, out, &room, in, size) > 0
                     : EVP_PKEY_decrypt_init(context) > 0 &&
                           EVP_PKEY_decrypt(context, out, &room, in, size) > 0;

    must(ok, encrypt ? "encrypt a message" : "decrypt a message");
    EVP_PKEY_CTX_free(context);
    return room;
}

/*
 * CryptEncrypt(hKey, 0, FALSE, 0, data, &length, size), for a stream: a context that is bound to the
 * key and advances it.  The context may go away between two calls; the key knows where it is.
 */
static void stream(EVP_PKEY *key, int encrypt, unsigned char *data, int size)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, SCHANNEL_CIPHER_DES_EDE3_CBC, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char handle[16];
    OSSL_PARAM binding[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_construct_end(),
    };
    int written = 0;

    must(EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle),
                                         NULL),
         "name the key");
    must(EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, binding) &&
             EVP_CipherUpdate(context, data, &written, data, size) && written == size,
         "go on with the stream");
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

int main(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    static const unsigned char text[] = "attack at dawn, or a little later";
    unsigned char sealed[64], again[64], opened[64], blocks[48], copy[48];
    size_t size, opened_size;
    EVP_PKEY *key, *peer;

    must(base != NULL && schannel != NULL, "load the providers");
    key = new_key();

    /* two messages: each starts at the IV, so the same text gives the same bytes, as in CryptoAPI */
    size = message(key, 1, text, sizeof(text), sealed, sizeof(sealed));
    must(size == 40, "padded to whole blocks");
    must(message(key, 1, text, sizeof(text), again, sizeof(again)) == size &&
             memcmp(sealed, again, size) == 0,
         "Final=TRUE returns to the IV");
    opened_size = message(key, 0, sealed, size, opened, sizeof(opened));
    must(opened_size == sizeof(text) && memcmp(opened, text, opened_size) == 0, "the text again");

    /* a stream of records: whole blocks, no padding, the chain goes on from call to call */
    peer =
        EVP_PKEY_dup(key); /* CryptDuplicateKey: the receiver, who starts where the sender does */
    must(peer != NULL, "duplicate");
    memset(blocks, 'x', sizeof(blocks));
    stream(key, 1, blocks, 16);
    stream(key, 1, blocks + 16, 32);
    must(memcmp(blocks, blocks + 16, 16) != 0, "the chain went on");
    memcpy(copy, blocks, sizeof(copy));
    stream(peer, 0, copy, 32); /* in other portions */
    stream(peer, 0, copy + 32, 16);
    must(copy[0] == 'x' && copy[47] == 'x' && memcmp(copy, copy + 1, 47) == 0, "the stream again");

    EVP_PKEY_free(peer);
    EVP_PKEY_free(key);
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(base);
    return 0;
}
