/*
 * Finding blobs in files, binary or PEM, one after another as the store does, and the line that a
 * listing gives about each.
 */
#include <string.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include "decoder/read_blob.h"
#include "fuzz.h"
#include "store/listing.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

static void describe(const uint8_t *blob, size_t size)
{
    struct blob_options options = { .seal_key = fuzz.seal_key };
    char line[LISTING_LINE_SIZE];

    listing_describe(fuzz.provctx, (struct octets){ blob, size }, &options, line);
    fuzz_expect(fuzz_reasons() == 0 && line[0] != '\0' && strlen(line) < sizeof(line),
                "a line and no reason");
}

/* One blob that was found or not. */
static void take(enum found found, enum blob_type type, uint8_t *blob, size_t size)
{
    fuzz_expect(fuzz_reasons() == (found == FAILED), "a reason for a failure alone");
    if (found != OURS)
        return;
    fuzz_expect(size <= blob_max_size(blob_recognise(blob, size)), "a blob of a possible size");
    fuzz_expect(type == BLOB_TYPE_DEFAULT || type == blob_recognise(blob, size),
                "a blob of the type that was asked for");
    describe(blob, size);
    OPENSSL_clear_free(blob, size);
}

static void read_all(BIO *in, enum blob_type type)
{
    uint8_t *blob;
    size_t size;
    enum found found;

    /* Without progress this would never end: libFuzzer's time limit tells. */
    do {
        found = read_blob_pem(fuzz.provctx, type, in, &blob, &size);
        take(found, type, blob, size);
    } while (found != FAILED && !BIO_eof(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const enum blob_type type = (enum blob_type)(fuzz_u8(&input) % (BLOB_TYPE_SIGNED + 1));
    BIO *in = BIO_new_mem_buf(input.data, (int)input.size);
    uint8_t *blob = NULL;
    size_t blob_size = 0;
    enum found found;

    fuzz_expect(in != NULL, "memory");
    found = read_blob_binary(fuzz.provctx, type, in, &blob, &blob_size);
    take(found, type, blob, blob_size);
    if (found == NOT_OURS && BIO_seek(in, 0) >= 0)
        read_all(in, type);
    BIO_free(in);
    ERR_clear_error();
    return 0;
}
