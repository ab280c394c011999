/*
 * SIMPLEBLOB all the way: the input becomes the encryption block, is encrypted here with the bare RSA
 * operation, and comes back through EVP.  With the reader of the target encryption_block as judge:
 * what is behind RSA is told nobody, so a premaster secret comes out of everything.
 */
#include <string.h>
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include "fuzz.h"
#include "schannel/names.h"

#define MODULUS_SIZE 64 /* 512 bits, the smallest that OpenSSL makes: these are many decryptions */

static EVP_PKEY_CTX *encryption;
static OSSL_DECODER_CTX *decoders[2]; /* PKCS #1, OAEP */
static EVP_PKEY *key;

/* The receiver's private key, in a file without a name. */
static void make_receiver(char path[32])
{
    EVP_PKEY *receiver = EVP_PKEY_Q_keygen(fuzz.libctx, NULL, "RSA", (size_t)(8 * MODULUS_SIZE));
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long size = 0;

    fuzz_expect(receiver != NULL &&
                    PEM_write_bio_PrivateKey(out, receiver, NULL, NULL, 0, NULL, NULL) &&
                    (size = BIO_get_mem_data(out, &text)) > 0,
                "an RSA key");
    (void)fuzz_file(text, (size_t)size, path);
    encryption = EVP_PKEY_CTX_new_from_pkey(fuzz.libctx, receiver, NULL);
    fuzz_expect(EVP_PKEY_encrypt_init(encryption) > 0 &&
                    EVP_PKEY_CTX_set_rsa_padding(encryption, RSA_NO_PADDING) > 0,
                "the bare operation");
    BIO_free(out);
    EVP_PKEY_free(receiver);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const modes[] = { SCHANNEL_PAD_MODE_PKCS1, SCHANNEL_PAD_MODE_OAEP };
    char path[32];

    (void)argc;
    (void)argv;
    fuzz_setup();
    make_receiver(path);
    for (size_t n = 0; n < 2; n++) {
        OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_EXCHANGE_KEY, path),
                                fuzz_text_param(SCHANNEL_PARAM_PAD_MODE, modes[n]),
                                OSSL_PARAM_construct_end() };

        decoders[n] =
            OSSL_DECODER_CTX_new_for_pkey(&key, SCHANNEL_BLOB_SIMPLE, NULL, SCHANNEL_KEY_TYPE,
                                          EVP_PKEY_KEYPAIR, fuzz.libctx, NULL);
        fuzz_expect(decoders[n] != NULL && OSSL_DECODER_CTX_set_params(decoders[n], params),
                    "a decoder");
    }
    return 0;
}

/* One that the modulus is larger than, as RSA needs it. */
static void take_block(struct fuzz_input *input, uint8_t block[MODULUS_SIZE])
{
    const struct octets taken = fuzz_take(input, MODULUS_SIZE - 1);

    memset(block, 0, MODULUS_SIZE);
    memcpy(block + MODULUS_SIZE - taken.size, taken.data, taken.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t algorithms[] = { 0x4c01, 0x4c04, 0x4c05, 0x4c06, 0x6801, 0x6602,
                                           0x6601, 0x6609, 0x6603, 0x660e, 0x660f, 0x6610 };
    struct fuzz_input input = { data, size };
    const uint32_t algorithm = algorithms[fuzz_u8(&input) % 12];
    const int is_oaep = fuzz_u8(&input) & 1;
    uint8_t blob[12 + MODULUS_SIZE] = {
        1, 2, 0, 0, (uint8_t)algorithm, (uint8_t)(algorithm >> 8), 0, 0, 0, 0xa4, 0, 0
    };
    uint8_t block[MODULUS_SIZE], ciphertext[MODULUS_SIZE];
    size_t left = sizeof(blob), written = sizeof(ciphertext);
    const unsigned char *at = blob;
    int ok;

    take_block(&input, block);
    fuzz_expect(EVP_PKEY_encrypt(encryption, ciphertext, &written, block, sizeof(block)) > 0 &&
                    written == sizeof(ciphertext),
                "RSA");
    for (size_t n = 0; n < sizeof(ciphertext); n++)
        blob[12 + n] = ciphertext[sizeof(ciphertext) - 1 - n];
    ok = OSSL_DECODER_from_data(decoders[is_oaep], &at, &left);
    fuzz_expect(fuzz_reasons() == !ok, "one reason for a failure");
    fuzz_expect(ok || (algorithm != 0x4c01 && algorithm != 0x4c04 && algorithm != 0x4c06),
                "a premaster secret, right or random");
    EVP_PKEY_free(key);
    key = NULL;
    return 0;
}
