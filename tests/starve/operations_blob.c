/* Rows of the rooms encoder and decoder: blobs of every type go out and come in. */
#include "operation.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>

static int encode(EVP_PKEY *key, const char *type, const OSSL_PARAM params[], uint8_t *out,
                  size_t *room)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, NULL, NULL);
    int ok = encoder != NULL && OSSL_ENCODER_CTX_set_params(encoder, params) &&
             OSSL_ENCODER_to_data(encoder, &out, room);

    OSSL_ENCODER_CTX_free(encoder);
    return ok;
}

int act_encode(struct scene *scene, const struct operation *operation)
{
    uint8_t out[MAX_IN];
    size_t room = sizeof(out);

    if (!encode(scene->key, operation->detail, scene->spec.list.params, out, &room))
        return 0;
    give_number(scene, room);
    return 1;
}

/* A blob that can be read again is written once. */
void prepare_blob(struct scene *scene, const struct operation *operation)
{
    static const struct operation *written;
    static uint8_t kept[MAX_IN];
    static size_t kept_size;
    struct spec spec;
    size_t room = MAX_IN;

    if (operation == written && (operation->flags & IS_SPENT) == 0) {
        memcpy(scene->in, kept, scene->in_size = kept_size);
        return;
    }
    spec_read(&spec, operation->before);
    assert_int_equal(encode(scene->key, operation->detail, spec.list.params, scene->in, &room), 1);
    scene->in_size = MAX_IN - room;
    memcpy(kept, scene->in, kept_size = scene->in_size);
    written = operation;
}

static int act_decode(struct scene *scene, const struct operation *operation)
{
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&scene->made, NULL, NULL, "SCHANNEL",
                                                              EVP_PKEY_KEYPAIR, libctx, NULL);
    const unsigned char *at = scene->in;
    size_t left = scene->in_size;
    int ok = decoder != NULL && OSSL_DECODER_CTX_set_params(decoder, scene->spec.list.params) &&
             OSSL_DECODER_from_data(decoder, &at, &left) && scene->made != NULL;

    (void)operation;
    OSSL_DECODER_CTX_free(decoder);
    return ok;
}

static int act_import_parameter(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    OSSL_PARAM params[MAX_PARAMS + 1];
    int ok;

    (void)operation;
    params[0] = octets_param("opaque-blob", scene->in, scene->in_size);
    memcpy(params + 1, scene->spec.list.params, (scene->spec.list.count + 1) * sizeof(params[0]));
    ok = context != NULL && EVP_PKEY_fromdata_init(context) > 0 &&
         EVP_PKEY_fromdata(context, &scene->made, EVP_PKEY_KEYPAIR, params) > 0;
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* As an application reads a PEM file. */
static int act_read_pem(struct scene *scene, const struct operation *operation)
{
    BIO *file = BIO_new_mem_buf(scene->in, (int)scene->in_size);

    (void)operation;
    if (file != NULL)
        scene->made = PEM_read_bio_PrivateKey_ex(file, NULL, NULL, NULL, libctx, NULL);
    BIO_free(file);
    return scene->made != NULL;
}

/* ---- under a passphrase ---- */

#define PHRASE "a passphrase"

static int encode_locked(EVP_PKEY *key, const char *type, const OSSL_PARAM params[], uint8_t *out,
                         size_t *room)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, NULL, NULL);
    int ok = encoder != NULL && OSSL_ENCODER_CTX_set_params(encoder, params) &&
             OSSL_ENCODER_CTX_set_cipher(encoder, "AES-256-CBC", NULL) &&
             OSSL_ENCODER_CTX_set_passphrase(encoder, (const uint8_t *)PHRASE, strlen(PHRASE)) &&
             OSSL_ENCODER_to_data(encoder, &out, room);

    OSSL_ENCODER_CTX_free(encoder);
    return ok;
}

static int act_encode_locked(struct scene *scene, const struct operation *operation)
{
    uint8_t out[MAX_IN];
    size_t room = sizeof(out);

    if (!encode_locked(scene->key, operation->detail, scene->spec.list.params, out, &room))
        return 0;
    give_number(scene, room);
    return 1;
}

static void prepare_locked(struct scene *scene, const struct operation *operation)
{
    static uint8_t kept[MAX_IN];
    static size_t kept_size;
    size_t room = MAX_IN;

    memcpy(scene->in, kept, scene->in_size = kept_size);
    if (kept_size != 0)
        return;
    assert_int_equal(
        encode_locked(scene->key, operation->detail, scene->spec.list.params, scene->in, &room), 1);
    scene->in_size = MAX_IN - room;
}

static int act_decode_locked(struct scene *scene, const struct operation *operation)
{
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&scene->made, NULL, NULL, "SCHANNEL",
                                                              EVP_PKEY_KEYPAIR, libctx, NULL);
    const unsigned char *at = scene->in;
    size_t left = scene->in_size;
    int ok = decoder != NULL &&
             OSSL_DECODER_CTX_set_passphrase(decoder, (const uint8_t *)PHRASE, strlen(PHRASE)) &&
             OSSL_DECODER_from_data(decoder, &at, &left) && scene->made != NULL;

    (void)operation;
    OSSL_DECODER_CTX_free(decoder);
    return ok;
}

#define RANDOMS       " client-random=*32 server-random=*32"
#define AES_KEY       "alg=AES-128-CBC secret=*16 iv=*16 exportable=#1"
#define RC4_KEY       "alg=RC4 secret=*5 salt-mode=zero exportable=#1"
#define MAC_KEY       "alg=SSL3-MAC secret=*16 digest=MD5 sequence=#9 exportable=#1"
#define FRESH         "alg=TLS1-MASTER premaster=*48 exportable=#1" RANDOMS
#define SSL2_KEY      "alg=SSL2-MASTER secret=*16 exportable=#1"
#define PCT1_KEY      "alg=PCT1-MASTER secret=*16 certificate=*100 exportable=#1"
#define SEAL          "seal-key=file:@/a"
#define TO_BOB        "exchange-key=@/rsa.pub.pem"
#define TO_BOBS_KEY   "exchange-key=<@/rsa.pub.der"
#define BY_BOB        "exchange-key=@/rsa.pem"
#define ALICE         "signature-key=@/ed25519.pem"
#define OF_ALICES_KEY "signature-key=<@/ed25519.pub.der"
#define OF_ALICE      "signature-key=@/ed25519.pub.pem"

static const struct operation rows[] = {
    { "write opaque AES", AES_KEY, NULL, act_encode, "opaqueblob", SEAL, .flags = IS_WHOLE },
    { "write opaque RC4 as PEM", RC4_KEY, NULL, act_encode, "pem", SEAL },
    { "write opaque MAC key as DER", MAC_KEY, NULL, act_encode, "der", SEAL },
    { "write an opaque premaster", FRESH, NULL, act_encode, "opaqueblob", SEAL },
    { "write an opaque PCT1 master", PCT1_KEY, NULL, act_encode, "opaqueblob", SEAL },
    { "write a transfer", AES_KEY, NULL, act_encode, "opaqueblob",
      SEAL " blob-mode=transfer claim-dir=@/claims audience=us lifetime=#30" },
    { "write text of a key", AES_KEY, NULL, act_encode, "text" },
    { "write text of a master", FRESH, NULL, act_encode, "text" },
    { "write text of a MAC key", MAC_KEY, NULL, act_encode, "text" },
    { "write simple AES", AES_KEY, NULL, act_encode, "simpleblob", TO_BOB },
    { "write a simple premaster, OAEP", FRESH, NULL, act_encode, "simpleblob",
      TO_BOBS_KEY " pad-mode=oaep" },
    { "write simple SSL2 with fallback", SSL2_KEY, NULL, act_encode, "simpleblob",
      TO_BOBS_KEY " ssl2-fallback=#1" },
    { "write simple for a certificate", AES_KEY, NULL, act_encode, "simpleblob",
      "exchange-key=@/rsa.crt.pem" },
    { "write plaintext", AES_KEY, NULL, act_encode, "plaintextblob", "allow-plaintext=#1" },
    { "write signed opaque", AES_KEY, NULL, act_encode, "signedblob", ALICE " " SEAL,
      .flags = OPENS_KEYS },
    { "write signed simple for two", AES_KEY, NULL, act_encode, "signedblob",
      ALICE " inner=simpleblob exchange-key=@/rsa.pub.pem,@/other.pub.pem serial=*4 purpose=test" },
    { "write signed plaintext", RC4_KEY, NULL, act_encode, "signedblob",
      ALICE " inner=plaintextblob allow-plaintext=#1 message-hash=*20", .flags = OPENS_KEYS },
    { "write signed by RSA", AES_KEY, NULL, act_encode, "signedblob",
      "signature-key=@/rsa.pem " SEAL, .flags = OPENS_KEYS },

    { "read opaque AES", AES_KEY, prepare_blob, act_decode, "opaqueblob", SEAL, SEAL,
      .flags = IS_WHOLE },
    { "read opaque RC4 as PEM", RC4_KEY, prepare_blob, act_decode, "pem", SEAL, SEAL },
    { "read an opaque MAC key", MAC_KEY, prepare_blob, act_decode, "opaqueblob", SEAL, SEAL },
    { "read an opaque premaster", FRESH, prepare_blob, act_decode, "opaqueblob", SEAL, SEAL },
    { "read an opaque PCT1 master", PCT1_KEY, prepare_blob, act_decode, "opaqueblob", SEAL, SEAL },
    { "read opaque AES as a parameter", AES_KEY, prepare_blob, act_import_parameter, "opaqueblob",
      SEAL, SEAL },
    { "read PEM as applications do", AES_KEY, prepare_blob, act_read_pem, "pem", NULL, NULL },
    { "read a transfer", AES_KEY, prepare_blob, act_decode, "opaqueblob",
      SEAL " claim-dir=@/claims audience=us",
      SEAL " blob-mode=transfer claim-dir=@/claims audience=us", .flags = IS_RANDOM },
    {
        "read simple AES",
        AES_KEY,
        prepare_blob,
        act_decode,
        "simpleblob",
        BY_BOB,
        TO_BOB,
    },
    { "read simple RC4, OAEP", RC4_KEY, prepare_blob, act_decode, "simpleblob",
      BY_BOB " pad-mode=oaep salt-mode=zero", TO_BOB " pad-mode=oaep", .flags = OPENS_KEYS },
    { "read a simple premaster", FRESH, prepare_blob, act_decode, "simpleblob", BY_BOB, TO_BOB,
      .flags = OPENS_KEYS },
    { "read a simple SSL2 master", SSL2_KEY, prepare_blob, act_decode, "simpleblob", BY_BOB, TO_BOB,
      .flags = OPENS_KEYS },
    { "read plaintext", AES_KEY, prepare_blob, act_decode, "plaintextblob", "exportable=#1",
      "allow-plaintext=#1" },
    { "read signed opaque", AES_KEY, prepare_blob, act_decode, "signedblob", OF_ALICE " " SEAL,
      ALICE " " SEAL },
    { "read signed simple for two", AES_KEY, prepare_blob, act_decode, "signedblob",
      OF_ALICE " purpose=test expect-serial=*4 exchange-key=@/other.pem",
      ALICE " inner=simpleblob exchange-key=@/rsa.pub.pem,@/other.pub.pem serial=*4 "
            "purpose=test" },
    { "read signed by RSA", AES_KEY, prepare_blob, act_decode, "signedblob",
      "signature-key=@/rsa.pub.pem " SEAL, "signature-key=@/rsa.pem " SEAL, .flags = OPENS_KEYS },

    { "write under a passphrase", AES_KEY, NULL, act_encode_locked, "pem" },
    { "read under a passphrase", AES_KEY, prepare_locked, act_decode_locked, "pem" },
};

struct operations blob_operations(void)
{
    return (struct operations){ rows, COUNT(rows) };
}
