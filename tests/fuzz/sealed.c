/*
 * Opaque blobs that open: the input is sealed here under a known key, so that what is behind the tag
 * comes to the parser through the provider's front door, as a key and as the state of a context.
 * Whatever opens is then used in every way, and sealed again.
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include "blob/opaque.h"
#include "blob/seal.h"
#include "payload_head.h"
#include "schannel/names.h"

static const uint8_t text[100] = "any text";

struct contexts {
    EVP_PKEY_CTX *import;
    EVP_CIPHER *cipher[9];
    EVP_MAC *mac[5];
};

static struct contexts contexts;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const ciphers[] = {
        SCHANNEL_CIPHER_RC4,         SCHANNEL_CIPHER_RC2_CBC,      SCHANNEL_CIPHER_DES_CBC,
        SCHANNEL_CIPHER_DES_EDE_CBC, SCHANNEL_CIPHER_DES_EDE3_CBC, SCHANNEL_CIPHER_AES_128_CBC,
        SCHANNEL_CIPHER_AES_192_CBC, SCHANNEL_CIPHER_AES_256_CBC,
    };
    static const char *const macs[] = { SCHANNEL_MAC_PCT1, SCHANNEL_MAC_SSL2, SCHANNEL_MAC_SSL3,
                                        SCHANNEL_MAC_TLS1 };

    (void)argc;
    (void)argv;
    fuzz_setup();
    contexts.import = EVP_PKEY_CTX_new_from_name(fuzz.libctx, SCHANNEL_KEY_TYPE, NULL);
    fuzz_expect(contexts.import != NULL && EVP_PKEY_fromdata_init(contexts.import) > 0,
                "a context");
    for (size_t n = 0; n < 8; n++)
        contexts.cipher[n + 1] = EVP_CIPHER_fetch(fuzz.libctx, ciphers[n], NULL);
    for (size_t n = 0; n < 4; n++)
        contexts.mac[n + 1] = EVP_MAC_fetch(fuzz.libctx, macs[n], NULL);
    return 0;
}

/* The blob, which the caller frees, exactly as long as it is. */
static uint8_t *make_blob(struct opaque_header *header, struct octets payload, size_t *size)
{
    const size_t header_size = opaque_header_size(header);
    struct writer writer;
    uint8_t *blob;

    memcpy(header->sealing_key_id, fuzz.known_key.id, sizeof(header->sealing_key_id));
    header->not_after = header->mode == BLOB_MODE_TRANSFER ? UINT64_MAX : 0;
    header->sealed_size = payload.size + SEAL_OVERHEAD;
    *size = header_size + header->sealed_size;
    blob = malloc(*size);
    fuzz_expect(blob != NULL, "memory");
    writer_init(&writer, blob, header_size);
    opaque_header_write(&writer, header);
    fuzz_expect(seal(fuzz.provctx->sealer, &fuzz.known_key, header->blob_id,
                     (struct octets){ blob, header_size }, payload, blob + header_size),
                "a seal");
    return blob;
}

static EVP_PKEY *import(const uint8_t *blob, size_t size)
{
    OSSL_PARAM params[] = {
        fuzz_octets_param(SCHANNEL_PARAM_OPAQUE_BLOB, blob, size),
        fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    return fuzz_outcome(EVP_PKEY_fromdata(contexts.import, &key, EVP_PKEY_KEYPAIR, params) > 0)
               ? key
               : NULL;
}

/* A context that is bound to a key, or has the state of its own that |params| hold. */
static void use_cipher(const EVP_CIPHER *cipher, int encrypt, const OSSL_PARAM params[])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t out[sizeof(text) + 32];
    int written;

    if (fuzz_outcome(EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, params))) {
        (void)fuzz_outcome(EVP_CipherUpdate(context, out, &written, text, 37));
        EVP_CIPHER_CTX_set_padding(context, 1);
        (void)fuzz_outcome(EVP_CipherUpdate(context, out, &written, text, sizeof(text)));
        (void)fuzz_outcome(EVP_CipherFinal_ex(context, out, &written));
    }
    EVP_CIPHER_CTX_free(context);
}

static void use_mac(EVP_MAC *mac, const OSSL_PARAM params[])
{
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    unsigned mode = 1;
    OSSL_PARAM record[] = { OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_MODE, &mode),
                            OSSL_PARAM_construct_end() };
    uint8_t out[64];
    size_t written;

    if (fuzz_outcome(EVP_MAC_init(context, NULL, 0, params))) {
        (void)fuzz_outcome(EVP_MAC_update(context, text, sizeof(text)));
        (void)fuzz_outcome(EVP_MAC_final(context, out, &written, sizeof(out)));
        (void)fuzz_outcome(EVP_MAC_CTX_set_params(context, record));
        (void)fuzz_outcome(EVP_MAC_update(context, text, sizeof(text)));
        (void)fuzz_outcome(EVP_MAC_final(context, out, &written, sizeof(out)));
    }
    EVP_MAC_CTX_free(context);
}

static void use_master(EVP_PKEY *master, const char *usage)
{
    OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_USAGE, usage),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(fuzz.libctx, master, NULL);
    EVP_PKEY *key = NULL;

    if (fuzz_outcome(EVP_PKEY_keygen_init(context) > 0) &&
        fuzz_outcome(EVP_PKEY_CTX_set_params(context, params)))
        (void)fuzz_outcome(EVP_PKEY_generate(context, &key) > 0);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
}

static void use_in_contexts(EVP_PKEY *key, const struct opaque_header *header, unsigned choice)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = {
        fuzz_octets_param(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_construct_end(),
    };
    size_t size;

    fuzz_expect(EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle,
                                                sizeof(handle), &size),
                "a handle");
    if (header->algorithm->kind == KEY_KIND_CIPHER)
        use_cipher(contexts.cipher[header->algorithm->cipher], choice & 1, params);
    if (header->protocol != KEY_PROTOCOL_NONE)
        use_mac(contexts.mac[header->protocol], params);
    if (header->algorithm->kind == KEY_KIND_MASTER)
        use_master(key,
                   choice & 1 ? SCHANNEL_USAGE_CLIENT_WRITE_KEY : SCHANNEL_USAGE_SERVER_WRITE_MAC);
}

/* The seal of a live key is good whatever its state is; a transfer is claimed by it, which cannot be
 * recorded here. */
static void seal_again(EVP_PKEY *key, int is_transfer)
{
    OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key),
                            OSSL_PARAM_construct_end() };
    static uint8_t blob[OPAQUE_BLOB_MAX_SIZE];
    EVP_PKEY *again = NULL;
    size_t size;

    fuzz_expect(EVP_PKEY_set_params(key, params), "options");
    if (fuzz_outcome(EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_OPAQUE_BLOB, blob,
                                                     sizeof(blob), &size))) {
        again = import(blob, size);
        fuzz_expect(again != NULL && EVP_PKEY_eq(again, key) == 1, "the same key again");
    } else {
        fuzz_expect(is_transfer, "a blob of every live key");
    }
    EVP_PKEY_free(again);
}

static void use_key(EVP_PKEY *key, const struct opaque_header *header, unsigned choice)
{
    BIO *out = BIO_new(BIO_s_mem());
    EVP_PKEY *copy = EVP_PKEY_dup(key);
    OSSL_PARAM *bytes = NULL;

    (void)fuzz_outcome(copy != NULL);
    (void)fuzz_outcome(EVP_PKEY_print_private(out, key, 0, NULL) > 0);
    (void)fuzz_outcome(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &bytes));
    use_in_contexts(key, header, choice);
    seal_again(key, header->mode == BLOB_MODE_TRANSFER);
    OSSL_PARAM_free(bytes);
    EVP_PKEY_free(copy);
    BIO_free(out);
}

static void use_in_own_context(const uint8_t *blob, size_t size, const struct opaque_header *header,
                               unsigned choice)
{
    const OSSL_PARAM params[] = {
        fuzz_octets_param(SCHANNEL_PARAM_OPAQUE_BLOB, blob, size),
        fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key),
        OSSL_PARAM_construct_end(),
    };

    if (header->algorithm->kind == KEY_KIND_CIPHER)
        use_cipher(contexts.cipher[header->algorithm->cipher], choice & 1, params);
    else if (header->algorithm->kind == KEY_KIND_MAC)
        use_mac(contexts.mac[header->protocol], params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct opaque_header header;
    size_t blob_size;
    unsigned choice;
    uint8_t *blob;
    EVP_PKEY *key;

    payload_head_take(&input, &header);
    choice = fuzz_u8(&input);
    blob = make_blob(&header, fuzz_take(&input, 16384), &blob_size);
    if ((key = import(blob, blob_size)) != NULL)
        use_key(key, &header, choice);
    EVP_PKEY_free(key);
    use_in_own_context(blob, blob_size, &header, choice);
    free(blob);
    return 0;
}
