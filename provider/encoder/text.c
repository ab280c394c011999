/*
 * ENCODER "SCHANNEL" to text: what openssl pkey -text shows.  Never a secret, and no IV or salt,
 * which are not secret but not needed to know a key by.  Referenced by algorithms.c.
 */
#include <inttypes.h>
#include <time.h>
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include "blob/moment.h"
#include "blob/opaque_header.h"
#include "dispatch.h"
#include "key/key.h"
#include "key/transfer.h"

static OSSL_FUNC_encoder_newctx_fn text_new;
static OSSL_FUNC_encoder_freectx_fn text_free;
static OSSL_FUNC_encoder_encode_fn text_encode;

/* The provider context is all the context there is. */
static void *text_new(void *provctx)
{
    return provctx;
}

static void text_free(void *context)
{
    (void)context;
}

static void print_master(BIO *out, const struct master_value *master)
{
    const struct derivation *derivation = &master->derivation;

    if (!protocol_rules(master->protocol)->has_premaster)
        BIO_printf(out, "    Holds: master key\n");
    else
        BIO_printf(out, "    Holds: %s secret\n", master->converted ? "master" : "premaster");
    BIO_printf(out, "    Client random: %s\n",
               derivation->client_random.size != 0 ? "set" : "not set");
    BIO_printf(out, "    Server random: %s\n",
               derivation->server_random.size != 0 ? "set" : "not set");
    BIO_printf(out, "    Cipher: %s%s\n",
               derivation->cipher != NULL ? derivation->cipher->name : "not set",
               derivation->is_export.value ? " (export)" : "");
    if (derivation->clear_key != NULL)
        BIO_printf(out, "    Clear key: %zu bytes\n",
                   shared_octets_view(derivation->clear_key).size);
    if (derivation->certificate != NULL)
        BIO_printf(out, "    Certificate: %zu bytes\n",
                   shared_octets_view(derivation->certificate).size);
    if (master->highest_version != 0)
        BIO_printf(out, "    Highest version: 0x%04x\n", (unsigned)master->highest_version);
    if (derivation->cipher_bits != 0)
        BIO_printf(out, "    Cipher bits: %u\n", (unsigned)derivation->cipher_bits);
    BIO_printf(out, "    Digest: %s\n",
               derivation->digest != DIGEST_NONE ? digest_name(derivation->digest) : "not set");
}

static void print_cipher(BIO *out, const struct cipher_value *cipher)
{
    BIO_printf(out, "    Position: %" PRIu64 " bytes\n", cipher->position);
    if (cipher->effective_bits != 0)
        BIO_printf(out, "    Effective bits: %u\n", (unsigned)cipher->effective_bits);
    if (cipher->salt_size != 0)
        BIO_printf(out, "    Salt: %u bytes\n", (unsigned)cipher->salt_size);
    if (!cipher_value_is_stream(cipher) && cipher->u.cbc.buffered != 0)
        BIO_printf(out, "    Buffered: %u bytes of a block\n", (unsigned)cipher->u.cbc.buffered);
}

static void print_mac(BIO *out, const struct mac_value *mac)
{
    BIO_printf(out, "    Digest: %s\n", digest_name(mac->digest));
    BIO_printf(out, "    Sequence: %" PRIu64 "\n", mac->sequence);
    if (mac->started)
        BIO_printf(out, "    Absorbed: %" PRIu64 " bytes of a message\n", mac->absorbed);
}

static void print_time(BIO *out, const char *name, uint64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm utc;
    char text[64];

    if (gmtime_r(&time, &utc) != NULL && strftime(text, sizeof(text), "%F %T UTC", &utc) != 0)
        BIO_printf(out, "    %s: %s (%" PRIu64 ")\n", name, text, seconds);
    else
        BIO_printf(out, "    %s: %" PRIu64 " seconds after 1970\n", name, seconds);
}

static void print_hex(BIO *out, const uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++)
        BIO_printf(out, "%02x", bytes[n]);
}

/* Where the key came from; of an opaque blob what its header says in clear. */
static void print_origin(BIO *out, const struct key *key)
{
    const struct opaque_header *header = key->opened;

    if (key_origin_name(key) != NULL)
        BIO_printf(out, "    Origin: %s\n", key_origin_name(key));
    if (header == NULL)
        return;
    BIO_printf(out, "    Blob: type 9, version 2, ALG_ID 0x%08x, format version %d, %s\n",
               (unsigned)header->algorithm->alg_id, OPAQUE_FORMAT_VERSION,
               header->mode == BLOB_MODE_TRANSFER ? "transfer" : "snapshot");
    BIO_printf(out, "    Blob id: ");
    print_hex(out, header->blob_id, sizeof(header->blob_id));
    BIO_printf(out, "\n    Sealed under: ");
    if (header->has_passphrase) {
        BIO_printf(out, "a passphrase, %" PRIu32 " iterations\n", header->iterations);
    } else {
        BIO_printf(out, "key ");
        print_hex(out, header->sealing_key_id, sizeof(header->sealing_key_id));
        BIO_printf(out, "\n");
    }
    print_time(out, "Sealed at", header->created);
}

/* A key that can be looked at but has not been claimed. */
static void print_transfer(BIO *out, const struct transfer *transfer)
{
    struct moment now;

    moment_now(&now);
    BIO_printf(out, "    Transfer: opens once, %s%s\n",
               moment_is_past(&transfer->deadline, &now) ? "has expired" : "not claimed here",
               transfer->audience == AUDIENCE_RIGHT ? "" : ", for another audience");
    print_time(out, "Not after", transfer->deadline.wall);
}

/* The lock is held. */
static void print_key(BIO *out, const struct key *key, const char *id)
{
    const char *usage = key_usage_name(key->usage);

    BIO_printf(out, "SCHANNEL Key: %s (%s, %u bit)\n", key->algorithm->name,
               key_kind_name(key->algorithm->kind), key_bits(key));
    BIO_printf(out, "    Key id: %s\n", id);
    BIO_printf(out, "    Protocol: %s\n", key_protocol_name(key->protocol));
    if (usage != NULL)
        BIO_printf(out, "    Usage: %s\n", usage);
    BIO_printf(out, "    Exportable: %s\n", key->exportable ? "yes" : "no");
    if (key->fork_allowed)
        BIO_printf(out, "    Fork: allowed\n");
    print_origin(out, key);
    if (key->transfer != NULL)
        print_transfer(out, key->transfer);
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        print_master(out, key->value.master);
        break;
    case KEY_KIND_CIPHER:
        print_cipher(out, &key->value.cipher);
        if (key->ssl2_mac != NULL)
            print_mac(out, key->ssl2_mac);
        break;
    case KEY_KIND_MAC:
        print_mac(out, &key->value.mac);
        break;
    }
}

static int write_out(const struct provctx *provctx, OSSL_CORE_BIO *core_out, BIO *text)
{
    BIO *out = BIO_new_from_core_bio(provctx->libctx, core_out);
    char *data = NULL;
    long size = BIO_get_mem_data(text, &data);
    size_t written = 0;
    int ok = out != NULL && size > 0 && BIO_write_ex(out, data, (size_t)size, &written) &&
             written == (size_t)size;

    BIO_free(out);
    return ok || RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "the text cannot be written");
}

static int text_encode(void *vprovctx, OSSL_CORE_BIO *core_out, const void *object,
                       const OSSL_PARAM abstract[], int selection,
                       OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    struct provctx *provctx = vprovctx;
    struct key *key = (struct key *)(uintptr_t)object;
    char id[KEY_ID_TEXT];
    BIO *text;
    int ok;

    (void)selection;
    (void)callback;
    (void)arg;
    if (abstract != NULL || key == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_NO_KEY, "only a SCHANNEL key can be printed");
    /* Not to the application's BIO while the key is locked: that may wait. */
    if ((text = BIO_new(BIO_s_mem())) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for the text");
    ok = key_lock(key);
    if (ok) {
        ok = key_id_text(key, id);
        if (ok)
            print_key(text, key, id);
        key_unlock(key);
    }
    ok = ok && write_out(provctx, core_out, text);
    BIO_free(text);
    return ok;
}

const OSSL_DISPATCH schannel_text_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))text_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))text_free },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))text_encode },
    { 0, NULL },
};
