/* Exporting and importing opaque blobs: see opaque.h, where the layout stands. */
#include "blob/opaque.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "blob/moment.h"
#include "blob/opaque_header.h"
#include "blob/opaque_payload.h"
#include "blob/seal.h"
#include "blob/sealing_key.h"
#include "key/key_trace.h"
#include "key/transfer.h"
#include "params.h"

/* What opens or closes one blob. */
struct unsealing {
    struct sealing_key key;
    const char *source; /* of the key, borrowed; NULL: a passphrase */
};

/* The first of parameter, configuration and default. */
static const char *source_of(const struct provctx *provctx, const char *seal_key,
                             enum blob_mode mode)
{
    if (seal_key != NULL)
        return seal_key;
    if (provctx->config.seal_key != NULL)
        return provctx->config.seal_key;
    return mode == BLOB_MODE_TRANSFER ? "runtime" : "user";
}

static const char *claim_dir_of(const struct provctx *provctx, const struct blob_options *options)
{
    return options->claim_dir != NULL ? options->claim_dir : provctx->config.claim_dir;
}

static int is_runtime(const struct unsealing *unsealing)
{
    return unsealing->source != NULL && strcmp(unsealing->source, "runtime") == 0;
}

static void print_hex(char *text, const uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++)
        snprintf(text + 2 * n, 3, "%02x", bytes[n]);
}

/* Diagnostics: what is in clear in the header. */
static void trace_header(struct key *key, const char *what, const struct opaque_header *header)
{
    char blob_id[2 * SEAL_SALT_SIZE + 1], sealing_key_id[2 * SEALING_KEY_ID_SIZE + 1];

    if (key->provctx->trace == NULL)
        return;
    print_hex(blob_id, header->blob_id, sizeof(header->blob_id));
    print_hex(sealing_key_id, header->sealing_key_id, sizeof(header->sealing_key_id));
    key_trace(key,
              "%s opaque blob %s: %s, under %s%s, created %" PRIu64 ", not after %" PRIu64 "%s",
              what, blob_id, header->mode == BLOB_MODE_TRANSFER ? "transfer" : "snapshot",
              header->has_passphrase ? "a passphrase" : "sealing key ",
              header->has_passphrase ? "" : sealing_key_id, header->created, header->not_after,
              header->has_audience ? ", for an audience" : "");
}

/* ---- writing ---- */

/* The options of this export: a copy, since those of the key can change.  The caller clears it. */
static int collect_options(struct key *key, const struct blob_options *given,
                           struct blob_options *options)
{
    struct blob_options merged;
    int ok;

    memset(options, 0, sizeof(*options));
    if (!key_lock(key))
        return 0;
    merged = blob_options_merge(given, key->options);
    ok = blob_options_copy(options, &merged);
    key_unlock(key);
    return ok ||
           RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for an opaque blob");
}

static int check_options(const struct provctx *provctx, const struct blob_options *options,
                         const struct unsealing *unsealing)
{
    if (options->mode == BLOB_MODE_SNAPSHOT) {
        const char *name = options->lifetime != 0 ? "lifetime" : "audience";

        return (options->lifetime == 0 && options->audience == NULL) ||
               RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: belongs to blob-mode transfer, this is a snapshot", name);
    }
    return is_runtime(unsealing) || claim_dir_of(provctx, options) != NULL ||
           RAISE(provctx->errors, SCHANNEL_R_CLAIM_NOT_RECORDED,
                 "claim-dir: is not set; a transfer needs one that both sides share, unless its "
                 "seal-key is runtime");
}

/* Fills what does not depend on the key.  *deadline: of a transfer. */
static int begin_header(const struct provctx *provctx, const struct blob_options *options,
                        struct opaque_header *header, struct moment *deadline)
{
    struct moment now;

    header->mode = options->mode;
    if (RAND_bytes_ex(provctx->libctx, header->blob_id, sizeof(header->blob_id), 0) != 1)
        return errors_raise_no_random(provctx->errors, provctx->libctx, "an opaque blob");
    if (options->mode == BLOB_MODE_SNAPSHOT) {
        header->created = moment_wall_clock();
        return 1;
    }
    moment_now(&now);
    header->created = now.wall;
    *deadline =
        moment_add(&now, options->lifetime != 0 ? options->lifetime : OPTIONS_DEFAULT_LIFETIME);
    header->not_after = deadline->wall;
    header->has_audience = options->audience != NULL;
    return !header->has_audience ||
           opaque_header_audience(provctx, header, options->audience, header->audience);
}

/* Finds the key to seal with. */
static int find_sealing_key(struct provctx *provctx, const struct blob_options *options,
                            const struct passphrase_source *passphrase,
                            struct opaque_header *header, struct unsealing *unsealing)
{
    header->has_passphrase = passphrase != NULL && options->seal_key == NULL;
    if (header->has_passphrase) {
        header->iterations = PASSPHRASE_ITERATIONS;
        return passphrase_sealing_key(provctx, passphrase, header->blob_id, header->iterations,
                                      &unsealing->key);
    }
    if (!sealing_keyring_get(provctx->keyring, unsealing->source, 1, &unsealing->key))
        return 0;
    memcpy(header->sealing_key_id, unsealing->key.id, sizeof(header->sealing_key_id));
    return 1;
}

static size_t payload_size(const struct key *key, enum blob_mode mode)
{
    static const struct moment never;
    struct writer counter;

    writer_init_counting(&counter);
    opaque_payload_write(&counter, key, mode == BLOB_MODE_TRANSFER ? &never : NULL);
    return counter.position;
}

size_t opaque_blob_size(struct key *key, const struct blob_options *given)
{
    struct opaque_header header = { 0 };
    struct blob_options options;
    size_t size;

    if (!key_lock(key))
        return 0;
    header.algorithm = key->algorithm;
    options = blob_options_merge(given, key->options);
    header.has_audience = options.audience != NULL;
    size = opaque_header_size(&header) + SEAL_OVERHEAD + payload_size(key, options.mode);
    key_unlock(key);
    return size;
}

/*
 * One consistent picture of the key: header fields and payload, taken under one lock.  *payload is
 * secret; the caller frees it with OPENSSL_clear_free.
 */
static int take_picture(struct key *key, struct opaque_header *header,
                        const struct moment *deadline, uint8_t **payload, size_t *size)
{
    char id_text[KEY_ID_TEXT];
    struct writer writer;
    int ok;

    if (!key_lock_for(key, KEY_USE))
        return 0;
    header->algorithm = key->algorithm;
    header->protocol = key->protocol;
    header->usage = key->usage;
    header->is_exportable = key->exportable;
    ok = key_id_text(key, id_text);
    if (ok) {
        *size = payload_size(key, header->mode);
        *payload = OPENSSL_malloc(*size);
        ok = *payload != NULL ||
             RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for an opaque blob");
    }
    if (ok) {
        writer_init(&writer, *payload, *size);
        opaque_payload_write(&writer, key, header->mode == BLOB_MODE_TRANSFER ? deadline : NULL);
        trace_header(key, "sealed into", header);
    }
    key_unlock(key);
    return ok;
}

static int seal_blob(struct provctx *provctx, struct opaque_header *header,
                     const struct sealing_key *sealing_key, struct octets payload, uint8_t **blob,
                     size_t *size)
{
    size_t header_size = opaque_header_size(header);
    struct writer writer;
    uint8_t *out;

    header->sealed_size = payload.size + SEAL_OVERHEAD;
    if ((out = OPENSSL_malloc(header_size + header->sealed_size)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for an opaque blob");
    writer_init(&writer, out, header_size);
    opaque_header_write(&writer, header);
    if (!seal(provctx->sealer, sealing_key, header->blob_id, (struct octets){ out, header_size },
              payload, out + header_size)) {
        OPENSSL_free(out);
        return 0;
    }
    *blob = out;
    *size = header_size + header->sealed_size;
    return 1;
}

int opaque_blob_export(struct key *key, const struct blob_options *given,
                       const struct passphrase_source *passphrase, uint8_t **blob, size_t *size)
{
    struct provctx *provctx = key->provctx;
    struct opaque_header header = { 0 };
    struct unsealing unsealing = { 0 };
    struct blob_options options;
    struct moment deadline = { 0 };
    uint8_t *payload = NULL;
    size_t payload_bytes = 0;
    int ok;

    if (!collect_options(key, given, &options))
        return 0;
    if (passphrase == NULL || options.seal_key != NULL)
        unsealing.source = source_of(provctx, options.seal_key, options.mode);
    ok = check_options(provctx, &options, &unsealing) &&
         begin_header(provctx, &options, &header, &deadline) &&
         find_sealing_key(provctx, &options, passphrase, &header, &unsealing) &&
         take_picture(key, &header, &deadline, &payload, &payload_bytes) &&
         seal_blob(provctx, &header, &unsealing.key, (struct octets){ payload, payload_bytes },
                   blob, size);
    OPENSSL_cleanse(&unsealing, sizeof(unsealing));
    OPENSSL_clear_free(payload, payload_bytes);
    blob_options_clear(&options);
    return ok;
}

int opaque_blob_get_param(struct key *key, const struct blob_options *options, OSSL_PARAM *param)
{
    uint8_t *blob = NULL;
    size_t size = 0;
    int ok;

    if ((size = opaque_blob_size(key, options)) == 0)
        return 0;
    /* A wrong type or too small a buffer is no reason to claim a transfer. */
    if (!params_fits_octets(key->provctx->errors, param, size))
        return 0;
    if (param->data == NULL)
        return 1;
    if (!opaque_blob_export(key, options, NULL, &blob, &size))
        return 0;
    ok = params_set_octets(key->provctx->errors, param, (struct octets){ blob, size });
    OPENSSL_free(blob);
    return ok;
}

/* ---- reading ---- */

static int check_sealing_key(const struct provctx *provctx, const struct opaque_header *header,
                             const struct unsealing *unsealing)
{
    char want[2 * SEALING_KEY_ID_SIZE + 1], have[2 * SEALING_KEY_ID_SIZE + 1];

    if (memcmp(header->sealing_key_id, unsealing->key.id, SEALING_KEY_ID_SIZE) == 0)
        return 1;
    print_hex(want, header->sealing_key_id, SEALING_KEY_ID_SIZE);
    print_hex(have, unsealing->key.id, SEALING_KEY_ID_SIZE);
    return RAISE(provctx->errors, SCHANNEL_R_SEALED_WITH_ANOTHER_KEY,
                 "opaque blob: sealed with key %s, have %s (%s): name the other one with seal-key",
                 want, have, unsealing->source);
}

/* Finds the key that opens the blob. */
static int find_opening_key(struct provctx *provctx, const struct opaque_header *header,
                            const struct blob_options *options,
                            const struct passphrase_source *passphrase, struct unsealing *unsealing)
{
    static const struct passphrase_source none;

    if (header->has_passphrase)
        return passphrase_sealing_key(provctx, passphrase != NULL ? passphrase : &none,
                                      header->blob_id, header->iterations, &unsealing->key);
    unsealing->source = source_of(provctx, options->seal_key, header->mode);
    return sealing_keyring_get(provctx->keyring, unsealing->source, 0, &unsealing->key) &&
           check_sealing_key(provctx, header, unsealing);
}

/* What the importer said about the audience; it counts at the first use. */
static int check_audience(const struct provctx *provctx, const struct opaque_header *header,
                          const char *audience, enum transfer_audience *result)
{
    uint8_t hash[OPAQUE_AUDIENCE_SIZE];

    if (!header->has_audience) {
        *result = audience == NULL ? AUDIENCE_RIGHT : AUDIENCE_UNWANTED;
        return 1;
    }
    *result = AUDIENCE_MISSING;
    if (audience == NULL)
        return 1;
    if (!opaque_header_audience(provctx, header, audience, hash))
        return 0;
    *result =
        CRYPTO_memcmp(hash, header->audience, sizeof(hash)) == 0 ? AUDIENCE_RIGHT : AUDIENCE_WRONG;
    return 1;
}

/* The claim that the key has to make before its first use. */
static int attach_transfer(struct key *key, const struct opaque_header *header,
                           const struct blob_options *options, const struct unsealing *unsealing,
                           const struct moment *deadline)
{
    const struct provctx *provctx = key->provctx;
    const char *claim_dir = claim_dir_of(provctx, options);
    struct transfer *transfer = OPENSSL_zalloc(sizeof(*transfer));

    if (transfer == NULL ||
        (claim_dir != NULL && (transfer->claim_dir = OPENSSL_strdup(claim_dir)) == NULL)) {
        transfer_free(transfer);
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a transfer");
    }
    key->transfer = transfer; /* freed with the key, whatever happens */
    transfer->deadline = *deadline;
    transfer->is_runtime = (uint8_t)is_runtime(unsealing);
    seal_claim(&unsealing->key, header->blob_id, transfer->token);
    return check_audience(provctx, header, options->audience, &transfer->audience);
}

/* Gives the empty object what the header says it is; then the payload may be read into it. */
static int read_key(struct key *key, const struct opaque_header *header, struct octets payload,
                    struct moment *deadline, enum opaque_target target)
{
    key->algorithm = header->algorithm;
    key->protocol = header->protocol;
    key->usage = header->usage;
    key->exportable = header->is_exportable;
    deadline->wall = header->not_after;
    switch (
        opaque_payload_read(key, payload, header->mode == BLOB_MODE_TRANSFER ? deadline : NULL)) {
    case PAYLOAD_READ:
        break;
    case PAYLOAD_MALFORMED:
        return RAISE(key->provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                     "opaque blob: the seal is good, but what is inside does not parse");
    case PAYLOAD_NO_MEMORY:
        return RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                     "no memory for what is inside an opaque blob");
    }
    return target == OPAQUE_FOR_CONTEXT || key_size_is_possible(key) ||
           RAISE(key->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                 "opaque blob: holds the state of a %s context with a key that no key object can "
                 "have: set it as the opaque-blob of a context",
                 header->algorithm->name);
}

/* What the header said stays with the key, for whoever looks at it. */
static int keep_header(struct key *key, const struct opaque_header *header)
{
    key->origin = KEY_ORIGIN_OPAQUE;
    key->opened = OPENSSL_memdup(header, sizeof(*header));
    return key->opened != NULL || RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                                        "no memory to open an opaque blob");
}

static int open_into(struct key *key, struct octets clear, struct octets sealed,
                     const struct opaque_header *header, const struct blob_options *options,
                     const struct unsealing *unsealing, enum opaque_target target)
{
    size_t size = sealed.size - SEAL_OVERHEAD;
    uint8_t *payload = OPENSSL_malloc(size + 1);
    struct moment deadline = { 0 };
    int ok;

    if (payload == NULL)
        return RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                     "no memory to open an opaque blob");
    ok = unseal(key->provctx->sealer, &unsealing->key, header->blob_id, clear, sealed, payload);
    if (ok) {
        ok = read_key(key, header, (struct octets){ payload, size }, &deadline, target) &&
             keep_header(key, header) &&
             (header->mode == BLOB_MODE_SNAPSHOT ||
              attach_transfer(key, header, options, unsealing, &deadline));
        if (!ok)
            key_reset(key);
    }
    OPENSSL_clear_free(payload, size + 1);
    return ok;
}

int opaque_blob_import_into(struct key *key, struct octets blob, const struct blob_options *options,
                            const struct passphrase_source *passphrase, enum opaque_target target)
{
    struct provctx *provctx = key->provctx;
    struct unsealing unsealing = { 0 };
    struct opaque_header header;
    size_t header_size;
    int ok;

    if (!opaque_header_read(provctx, blob, &header, &header_size))
        return 0;
    if (header.mode == BLOB_MODE_SNAPSHOT && options->audience != NULL)
        return RAISE(provctx->errors, SCHANNEL_R_WRONG_AUDIENCE,
                     "audience: the import named one, but a snapshot is for whoever can open it");
    ok = find_opening_key(provctx, &header, options, passphrase, &unsealing) &&
         open_into(key, (struct octets){ blob.data, header_size },
                   (struct octets){ blob.data + header_size, header.sealed_size }, &header, options,
                   &unsealing, target);
    OPENSSL_cleanse(&unsealing, sizeof(unsealing));
    if (ok)
        trace_header(key, "opened from", &header);
    return ok;
}

struct key *opaque_blob_import(struct provctx *provctx, struct octets blob,
                               const struct blob_options *options,
                               const struct passphrase_source *passphrase,
                               enum opaque_target target)
{
    struct key *key = key_new(provctx);

    if (key != NULL && !opaque_blob_import_into(key, blob, options, passphrase, target)) {
        key_free(key);
        key = NULL;
    }
    return key;
}
