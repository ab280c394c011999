/*
 * Signed blobs whose signature is right: what the signer says is chosen by the input, signed here,
 * and opened with options that the input chooses too.  Opaque blobs inside may be golden ones.
 */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include "blob/blob.h"
#include "blob/signature.h"
#include "fuzz.h"
#include "schannel/names.h"

#define MAX_SIZE 4096

static EVP_PKEY *signer;
static uint8_t signer_id[SIGNER_ID_SIZE];
static unsigned char *spki;
static int spki_size;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t private_key[32] = "the signer of the fuzz targets";

    (void)argc;
    (void)argv;
    fuzz_setup();
    signer = EVP_PKEY_new_raw_private_key_ex(fuzz.provctx->libctx, "ED25519", NULL, private_key,
                                             sizeof(private_key));
    fuzz_expect(signer != NULL && signature_signer_id(fuzz.provctx, signer, signer_id) &&
                    (spki_size = i2d_PUBKEY(signer, &spki)) > 0,
                "a signer");
    return 0;
}

/* Bits of the first byte of the input. */
enum { OTHER_PURPOSE = 1, SERIAL = 2, MESSAGE_HASH = 4, MAX_AGE = 8, ALTERED = 16, OTHER_KEY = 32 };

/* The caller clears them. */
static void make_options(unsigned flags, struct blob_options *options)
{
    unsigned age = 600;
    OSSL_PARAM params[7];
    size_t n = 0;

    params[n++] = fuzz_octets_param(SCHANNEL_PARAM_SIGNATURE_KEY, spki, (size_t)spki_size);
    params[n++] = fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key);
    if ((flags & OTHER_PURPOSE) != 0)
        params[n++] = fuzz_text_param(SCHANNEL_PARAM_PURPOSE, "mail");
    if ((flags & SERIAL) != 0)
        params[n++] = fuzz_octets_param(SCHANNEL_PARAM_EXPECT_SERIAL, "1234", 4);
    if ((flags & MESSAGE_HASH) != 0)
        params[n++] = fuzz_octets_param(SCHANNEL_PARAM_MESSAGE_HASH, "5678", 4);
    if ((flags & MAX_AGE) != 0)
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_MAX_AGE, &age);
    params[n] = OSSL_PARAM_construct_end();
    fuzz_expect(blob_options_set(fuzz.provctx, options, OPTIONS_IMPORT, params), "options");
}

/* The content that the input goes on with, behind a head that is always the same. */
static size_t make_blob(struct fuzz_input *input, unsigned flags, uint8_t blob[2 * MAX_SIZE])
{
    static const uint8_t head[] = {
        0x89, 'S', 'C', 'H', 'S', 'I', 'G', '\n', 1, SIGNATURE_ED25519
    };
    const struct octets created = fuzz_take(input, 8);
    const struct octets rest = fuzz_take(input, MAX_SIZE);
    uint8_t signature[SIGNATURE_MAX_SIZE];
    struct writer writer;
    size_t size;

    writer_init(&writer, blob, 2 * MAX_SIZE);
    writer_copy(&writer, head, sizeof(head));
    writer_copy(&writer, created.data, created.size);
    writer_copy(&writer, signer_id, sizeof(signer_id));
    writer_copy(&writer, rest.data, rest.size);
    if ((flags & OTHER_KEY) != 0)
        blob[18] ^= 1; /* the first byte of the signer's id */
    fuzz_expect(signature_make(fuzz.provctx, signer, (struct octets){ blob, writer.position },
                               signature, &size),
                "a signature");
    writer_vector16(&writer, (struct octets){ signature, size });
    if ((flags & ALTERED) != 0)
        blob[writer.position - 1] ^= 1;
    fuzz_expect(!writer.failed, "room for the blob");
    return writer.position;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const unsigned flags = fuzz_u8(&input);
    struct blob_options options = { 0 };
    uint8_t blob[2 * MAX_SIZE], *exact;
    size_t blob_size;
    struct key *key;

    make_options(flags, &options);
    blob_size = make_blob(&input, flags, blob);
    exact = OPENSSL_memdup(blob, blob_size);
    fuzz_expect(exact != NULL, "memory");
    key = blob_import(fuzz.provctx, (struct octets){ exact, blob_size }, &options, NULL);
    fuzz_expect(!fuzz_outcome(key != NULL) || (flags & (ALTERED | OTHER_KEY)) == 0,
                "no key without the right signature");
    key_free(key);
    OPENSSL_free(exact);
    blob_options_clear(&options);
    return 0;
}
