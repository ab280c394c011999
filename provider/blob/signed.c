/* Signed blobs: see signed.h, where the layout stands. */
#include "blob/signed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "blob/blob_header.h"
#include "blob/key_argument.h"
#include "blob/moment.h"
#include "blob/plaintext.h"
#include "schannel/names.h"

#define FORMAT_VERSION 1
#define MAX_CLOCK_LEAD 60 /* seconds that a signer's clock may be before ours */
#define SHOWN_ID_SIZE  8  /* bytes of a signer's id that tell enough */
#define HEX_TEXT_SIZE  (2 * OPTIONS_MAX_SERIAL + 1)

static const char name[] = "signed blob";

static const uint8_t magic[SIGNED_BLOB_MAGIC_SIZE] = { 0x89, 'S', 'C', 'H', 'S', 'I', 'G', '\n' };

int signed_blob_is_ours(const uint8_t *data, size_t size)
{
    return size >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

/* ---- writing ---- */

/* The blobs that go inside: owned. */
struct contents {
    struct octets blob[SIGNED_BLOB_MAX_COUNT];
    size_t count;
    uint8_t *opaque;
    size_t opaque_size;
    struct simple_blob *simple;
    uint8_t plaintext[PLAINTEXT_BLOB_MAX_SIZE];
};

static void clear_contents(struct contents *contents)
{
    OPENSSL_free(contents->opaque);
    OPENSSL_free(contents->simple);
    OPENSSL_cleanse(contents, sizeof(*contents));
}

static int make_simple(struct key *key, const struct blob_options *options,
                       const struct passphrase_source *passphrase, struct contents *contents)
{
    contents->simple = OPENSSL_malloc(SIGNED_BLOB_MAX_COUNT * sizeof(*contents->simple));
    if (contents->simple == NULL)
        return RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a %s", name);
    if (!simple_blob_export(key, options, passphrase, SIGNED_BLOB_MAX_COUNT, contents->simple,
                            &contents->count))
        return 0;
    for (size_t n = 0; n < contents->count; n++)
        contents->blob[n] = (struct octets){ contents->simple[n].data, contents->simple[n].size };
    return 1;
}

static int make_contents(struct key *key, const struct blob_options *options,
                         const struct passphrase_source *seal_passphrase,
                         const struct passphrase_source *passphrase, struct contents *contents)
{
    size_t size = 0;
    int ok;

    if (options->inner == BLOB_TYPE_SIMPLE)
        return make_simple(key, options, passphrase, contents);
    contents->count = 1;
    if (options->inner == BLOB_TYPE_PLAINTEXT) {
        ok = plaintext_blob_export(key, options, contents->plaintext, &size);
        contents->blob[0] = (struct octets){ contents->plaintext, size };
        return ok;
    }
    ok = opaque_blob_export(key, options, seal_passphrase, &contents->opaque, &size);
    contents->blob[0] = (struct octets){ contents->opaque, size };
    return ok;
}

static void write_content(struct writer *writer, const struct signed_blob *blob)
{
    writer_copy(writer, magic, sizeof(magic));
    writer_u8(writer, FORMAT_VERSION);
    writer_u8(writer, (uint8_t)blob->algorithm);
    writer_u64(writer, blob->created);
    writer_copy(writer, blob->signer_id, sizeof(blob->signer_id));
    writer_vector8(writer, blob->purpose);
    writer_vector8(writer, blob->serial);
    writer_vector8(writer, blob->message_hash);
    writer_u8(writer, (uint8_t)blob->count);
    for (size_t n = 0; n < blob->count; n++)
        writer_vector16(writer, blob->inner[n]);
}

/* Fits the first byte of room for the signature behind the content. */
static int write_signed(const struct provctx *provctx, EVP_PKEY *signer, struct signed_blob *blob,
                        uint8_t **out, size_t *size, size_t *room)
{
    uint8_t signature[SIGNATURE_MAX_SIZE];
    struct writer writer;
    size_t signature_size;

    writer_init_counting(&writer);
    write_content(&writer, blob);
    *room = writer.position + 2 + sizeof(signature);
    if (writer.failed || *room > SIGNED_BLOB_MAX_SIZE)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "%s: would be longer than %d bytes", name, SIGNED_BLOB_MAX_SIZE);
    if ((*out = OPENSSL_malloc(*room)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a %s", name);
    writer_init(&writer, *out, *room);
    write_content(&writer, blob);
    if (!signature_make(provctx, signer, (struct octets){ *out, writer.position }, signature,
                        &signature_size))
        return 0;
    writer_vector16(&writer, (struct octets){ signature, signature_size });
    *size = writer.position;
    return !writer.failed;
}

static int open_signer(struct provctx *provctx, const struct blob_options *options,
                       enum key_half half, const struct passphrase_source *passphrase,
                       EVP_PKEY **signer)
{
    return key_argument_open(provctx, &options->signature_key, SCHANNEL_PARAM_SIGNATURE_KEY, half,
                             passphrase, signer) &&
           (*signer != NULL ||
            RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                  half == KEY_HALF_PRIVATE
                      ? "signature-key: is not set: a signed blob needs the signer's private key"
                      : "signature-key: is not set: a signed blob is opened with the public key of "
                        "the signer that is expected, as in schannel:FILE?signature-key=KEY"));
}

static struct octets purpose_of(const struct blob_options *options)
{
    const char *purpose = options->purpose != NULL ? options->purpose : SCHANNEL_PURPOSE_STORAGE;

    return (struct octets){ (const uint8_t *)purpose, strlen(purpose) };
}

int signed_blob_export(struct key *key, const struct blob_options *options,
                       const struct passphrase_source *seal_passphrase,
                       const struct passphrase_source *passphrase, uint8_t **out, size_t *size)
{
    struct provctx *provctx = key->provctx;
    struct contents contents = { .count = 0 };
    struct signed_blob blob = { .count = 0 };
    EVP_PKEY *signer = NULL;
    struct moment now;
    size_t room = 0;
    int ok;

    *out = NULL;
    if (!open_signer(provctx, options, KEY_HALF_PRIVATE, passphrase, &signer))
        return 0;
    moment_now(&now);
    blob.created = now.wall;
    blob.purpose = purpose_of(options);
    blob.serial = shared_octets_view(options->serial);
    blob.message_hash = shared_octets_view(options->message_hash);
    blob.algorithm = signature_algorithm_of(provctx, signer);
    ok = blob.algorithm != SIGNATURE_NONE && signature_signer_id(provctx, signer, blob.signer_id) &&
         make_contents(key, options, seal_passphrase, passphrase, &contents);
    if (ok) {
        blob.count = contents.count;
        memcpy(blob.inner, contents.blob, sizeof(blob.inner));
        ok = write_signed(provctx, signer, &blob, out, size, &room);
    }
    if (!ok) {
        OPENSSL_clear_free(*out, room);
        *out = NULL;
    }
    clear_contents(&contents);
    EVP_PKEY_free(signer);
    return ok;
}

/* ---- reading ---- */

static int malformed(const struct provctx *provctx, const char *what)
{
    return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "%s: %s", name, what);
}

static void read_content(struct reader *reader, struct signed_blob *read)
{
    read->algorithm = reader_u8(reader);
    read->created = reader_u64(reader);
    reader_copy(reader, read->signer_id, sizeof(read->signer_id));
    read->purpose = reader_vector8(reader, OPTIONS_MAX_PURPOSE);
    read->serial = reader_vector8(reader, OPTIONS_MAX_SERIAL);
    read->message_hash = reader_vector8(reader, OPTIONS_MAX_MESSAGE_HASH);
    read->count = reader_u8(reader);
    for (size_t n = 0; n < read->count && n < SIGNED_BLOB_MAX_COUNT; n++)
        read->inner[n] = reader_vector16(reader, OPAQUE_BLOB_MAX_SIZE);
}

int signed_blob_read(const struct provctx *provctx, struct octets blob, struct signed_blob *read)
{
    struct reader reader;
    unsigned version;

    memset(read, 0, sizeof(*read));
    if (!signed_blob_is_ours(blob.data, blob.size))
        return malformed(provctx, "does not start with its magic");
    reader_init(&reader, blob.data, blob.size);
    (void)reader_take(&reader, sizeof(magic));
    version = reader_u8(&reader);
    if (!reader.failed && version != FORMAT_VERSION)
        return RAISE(provctx->errors, SCHANNEL_R_UNSUPPORTED_BLOB_VERSION,
                     "%s: format version %u was written by another release; this one reads version "
                     "%d",
                     name, version, FORMAT_VERSION);
    read_content(&reader, read);
    read->content = (struct octets){ blob.data, reader.position };
    read->signature = reader_vector16(&reader, SIGNATURE_MAX_SIZE);
    if (reader.failed)
        return malformed(provctx, "ends before its signature does, or a field is too long");
    if (reader_left(&reader) != 0)
        return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "%s: %zu bytes follow its end",
                     name, reader_left(&reader));
    if (read->count == 0 || read->count > SIGNED_BLOB_MAX_COUNT)
        return malformed(provctx, "expected 1 to 16 blobs inside");
    if (read->purpose.size == 0 || read->signature.size == 0)
        return malformed(provctx, "purpose or signature is empty");
    for (size_t n = 0; n < read->count; n++) {
        if (read->inner[n].size == 0)
            return malformed(provctx, "a blob inside is empty");
    }
    return signature_algorithm_name(read->algorithm) != NULL ||
           RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                 "%s: signature algorithm %u is not known", name, read->algorithm);
}

static void hex_text(const uint8_t *data, size_t size, char text[HEX_TEXT_SIZE])
{
    text[0] = '\0';
    for (size_t n = 0; n < size; n++)
        snprintf(text + 2 * n, 3, "%02x", data[n]);
}

static int check_signer(const struct provctx *provctx, EVP_PKEY *signer,
                        const struct signed_blob *blob)
{
    uint8_t id[SIGNER_ID_SIZE];
    char expected[HEX_TEXT_SIZE], got[HEX_TEXT_SIZE];
    enum signature_algorithm algorithm = signature_algorithm_of(provctx, signer);

    if (algorithm == SIGNATURE_NONE || !signature_signer_id(provctx, signer, id))
        return 0;
    hex_text(id, SHOWN_ID_SIZE, expected);
    hex_text(blob->signer_id, SHOWN_ID_SIZE, got);
    if (memcmp(id, blob->signer_id, sizeof(id)) != 0)
        return RAISE(provctx->errors, SCHANNEL_R_WRONG_SIGNER,
                     "signature-key: expected the signer %s, the blob names %s", expected, got);
    if ((unsigned)algorithm != blob->algorithm)
        return RAISE(provctx->errors, SCHANNEL_R_SIGNATURE_DOES_NOT_VERIFY,
                     "%s: names %s, the signer's key makes %s", name,
                     signature_algorithm_name(blob->algorithm),
                     signature_algorithm_name(algorithm));
    return signature_verify(provctx, signer, blob->content, blob->signature);
}

static int same(struct octets a, struct octets b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static int check_age(const struct provctx *provctx, const struct blob_options *options,
                     const struct signed_blob *blob)
{
    struct moment now;

    if (options->max_age == 0)
        return 1;
    moment_now(&now);
    if (blob->created > now.wall && blob->created - now.wall > MAX_CLOCK_LEAD)
        return RAISE(provctx->errors, SCHANNEL_R_SIGNATURE_TOO_OLD,
                     "max-age: the signature is from %" PRIu64 " seconds in the future",
                     blob->created - now.wall);
    return blob->created >= now.wall || now.wall - blob->created <= options->max_age ||
           RAISE(provctx->errors, SCHANNEL_R_SIGNATURE_TOO_OLD,
                 "max-age: expected at most %" PRIu32 " seconds, the signature is %" PRIu64
                 " seconds old",
                 options->max_age, now.wall - blob->created);
}

static int check_purpose(const struct provctx *provctx, const struct blob_options *options,
                         const struct signed_blob *blob)
{
    const struct octets expected = purpose_of(options);
    char got[OPTIONS_MAX_PURPOSE + 1] = "";

    if (same(expected, blob->purpose))
        return 1;
    for (size_t n = 0; n < blob->purpose.size; n++)
        got[n] = (char)(blob->purpose.data[n] >= ' ' && blob->purpose.data[n] <= '~'
                            ? blob->purpose.data[n]
                            : '?');
    return RAISE(provctx->errors, SCHANNEL_R_WRONG_PURPOSE,
                 "purpose: expected \"%.*s\", the blob was signed for \"%s\"", (int)expected.size,
                 (const char *)expected.data, got);
}

static int check_serial(const struct provctx *provctx, const struct blob_options *options,
                        const struct signed_blob *blob)
{
    const struct octets wanted = shared_octets_view(options->serial);
    char expected[HEX_TEXT_SIZE], got[HEX_TEXT_SIZE];

    if (options->serial == NULL || same(wanted, blob->serial))
        return 1;
    if (blob->serial.size == 0)
        return RAISE(provctx->errors, SCHANNEL_R_WRONG_SERIAL,
                     "expect-serial: the blob has no serial");
    hex_text(wanted.data, wanted.size, expected);
    hex_text(blob->serial.data, blob->serial.size, got);
    return RAISE(provctx->errors, SCHANNEL_R_WRONG_SERIAL,
                 "expect-serial: expected the bytes %s, the blob has %s", expected, got);
}

/* What the signer says has to be what the importer expects. */
static int check_statement(const struct provctx *provctx, const struct blob_options *options,
                           const struct signed_blob *blob)
{
    if (!check_purpose(provctx, options, blob) || !check_serial(provctx, options, blob))
        return 0;
    if (options->message_hash != NULL &&
        !same(shared_octets_view(options->message_hash), blob->message_hash))
        return RAISE(provctx->errors, SCHANNEL_R_WRONG_MESSAGE,
                     blob->message_hash.size == 0
                         ? "message-hash: the blob names no message"
                         : "message-hash: the blob is for another message");
    return check_age(provctx, options, blob);
}

static struct key *open_inner(struct provctx *provctx, const struct signed_blob *blob,
                              const struct blob_options *options,
                              const struct passphrase_source *passphrase)
{
    const uint8_t type = blob->inner[0].size != 0 ? blob->inner[0].data[0] : 0;

    if (type == BTYPE_SIMPLE)
        return simple_blob_import(provctx, blob->inner, blob->count, options, passphrase);
    if (blob->count != 1)
        malformed(provctx, "only simple blobs can be several");
    else if (type == BTYPE_PLAINTEXT)
        return plaintext_blob_import(provctx, blob->inner[0], options);
    else if (type == BTYPE_OPAQUE)
        return opaque_blob_import(provctx, blob->inner[0], options, passphrase, OPAQUE_FOR_KEY);
    else
        RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_BLOB_TYPE,
              "%s: expected an opaque, simple or plaintext blob inside, got type %u", name, type);
    return NULL;
}

struct key *signed_blob_import(struct provctx *provctx, struct octets data,
                               const struct blob_options *options,
                               const struct passphrase_source *passphrase)
{
    struct signed_blob blob;
    EVP_PKEY *signer = NULL;
    struct key *key = NULL;

    if (signed_blob_read(provctx, data, &blob) &&
        open_signer(provctx, options, KEY_HALF_PUBLIC, passphrase, &signer) &&
        check_signer(provctx, signer, &blob) && check_statement(provctx, options, &blob))
        key = open_inner(provctx, &blob, options, passphrase);
    EVP_PKEY_free(signer);
    return key;
}
