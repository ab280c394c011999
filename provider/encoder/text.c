/*
 * ENCODER "SCHANNEL" to text: what openssl pkey -text shows.  Never a secret, and no IV or salt,
 * which are not secret but not needed to know a key by.  Referenced by algorithms.c.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
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

/* Made while the key is locked, and written to the application's BIO, which may wait, afterwards.
 * Nothing of variable length is in it: the longest has about half of this. */
struct text {
    char bytes[2048];
    size_t size;
};

static void print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(struct text *text, const char *format, ...)
{
    const size_t room = sizeof(text->bytes) - text->size;
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(text->bytes + text->size, room, format, arguments);
    va_end(arguments);
    if (size > 0)
        text->size += (size_t)size < room ? (size_t)size : room - 1;
}

static void print_master(struct text *text, const struct master_value *master)
{
    const struct derivation *derivation = &master->derivation;

    if (!protocol_rules(master->protocol)->has_premaster)
        print(text, "    Holds: master key\n");
    else
        print(text, "    Holds: %s secret\n", master->converted ? "master" : "premaster");
    print(text, "    Client random: %s\n", derivation->client_random.size != 0 ? "set" : "not set");
    print(text, "    Server random: %s\n", derivation->server_random.size != 0 ? "set" : "not set");
    print(text, "    Cipher: %s%s\n",
          derivation->cipher != NULL ? derivation->cipher->name : "not set",
          derivation->is_export.value ? " (export)" : "");
    if (derivation->clear_key != NULL)
        print(text, "    Clear key: %zu bytes\n", shared_octets_view(derivation->clear_key).size);
    if (derivation->certificate != NULL)
        print(text, "    Certificate: %zu bytes\n",
              shared_octets_view(derivation->certificate).size);
    if (master->highest_version != 0)
        print(text, "    Highest version: 0x%04x\n", (unsigned)master->highest_version);
    if (derivation->cipher_bits != 0)
        print(text, "    Cipher bits: %u\n", (unsigned)derivation->cipher_bits);
    print(text, "    Digest: %s\n",
          derivation->digest != DIGEST_NONE ? digest_name(derivation->digest) : "not set");
}

static void print_cipher(struct text *text, const struct cipher_value *cipher)
{
    print(text, "    Position: %" PRIu64 " bytes\n", cipher->position);
    if (cipher->effective_bits != 0)
        print(text, "    Effective bits: %u\n", (unsigned)cipher->effective_bits);
    if (cipher->salt_size != 0)
        print(text, "    Salt: %u bytes\n", (unsigned)cipher->salt_size);
    if (!cipher_value_is_stream(cipher) && cipher->u.cbc.buffered != 0)
        print(text, "    Buffered: %u bytes of a block\n", (unsigned)cipher->u.cbc.buffered);
}

static void print_mac(struct text *text, const struct mac_value *mac)
{
    print(text, "    Digest: %s\n", digest_name(mac->digest));
    print(text, "    Sequence: %" PRIu64 "\n", mac->sequence);
    if (mac->started)
        print(text, "    Absorbed: %" PRIu64 " bytes of a message\n", mac->absorbed);
}

static void print_time(struct text *text, const char *name, uint64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm utc;
    char date[64];

    if (gmtime_r(&time, &utc) != NULL && strftime(date, sizeof(date), "%F %T UTC", &utc) != 0)
        print(text, "    %s: %s (%" PRIu64 ")\n", name, date, seconds);
    else
        print(text, "    %s: %" PRIu64 " seconds after 1970\n", name, seconds);
}

static void print_hex(struct text *text, const uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++)
        print(text, "%02x", bytes[n]);
}

/* Where the key came from; of an opaque blob what its header says in clear. */
static void print_origin(struct text *text, const struct key *key)
{
    const struct opaque_header *header = key->opened;

    if (key_origin_name(key) != NULL)
        print(text, "    Origin: %s\n", key_origin_name(key));
    if (header == NULL)
        return;
    print(text, "    Blob: type 9, version 2, ALG_ID 0x%08x, format version %d, %s\n",
          (unsigned)header->algorithm->alg_id, OPAQUE_FORMAT_VERSION,
          header->mode == BLOB_MODE_TRANSFER ? "transfer" : "snapshot");
    print(text, "    Blob id: ");
    print_hex(text, header->blob_id, sizeof(header->blob_id));
    print(text, "\n    Sealed under: ");
    if (header->has_passphrase) {
        print(text, "a passphrase, %" PRIu32 " iterations\n", header->iterations);
    } else {
        print(text, "key ");
        print_hex(text, header->sealing_key_id, sizeof(header->sealing_key_id));
        print(text, "\n");
    }
    print_time(text, "Sealed at", header->created);
}

/* A key that can be looked at but has not been claimed. */
static void print_transfer(struct text *text, const struct transfer *transfer)
{
    struct moment now;

    moment_now(&now);
    print(text, "    Transfer: opens once, %s%s\n",
          moment_is_past(&transfer->deadline, &now) ? "has expired" : "not claimed here",
          transfer->audience == AUDIENCE_RIGHT ? "" : ", for another audience");
    print_time(text, "Not after", transfer->deadline.wall);
}

/* The lock is held. */
static void print_key(struct text *text, const struct key *key, const char *id)
{
    const char *usage = key_usage_name(key->usage);

    print(text, "SCHANNEL Key: %s (%s, %u bit)\n", key->algorithm->name,
          key_kind_name(key->algorithm->kind), key_bits(key));
    print(text, "    Key id: %s\n", id);
    print(text, "    Protocol: %s\n", key_protocol_name(key->protocol));
    if (usage != NULL)
        print(text, "    Usage: %s\n", usage);
    print(text, "    Exportable: %s\n", key->exportable ? "yes" : "no");
    if (key->fork_allowed)
        print(text, "    Fork: allowed\n");
    print_origin(text, key);
    if (key->transfer != NULL)
        print_transfer(text, key->transfer);
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        print_master(text, key->value.master);
        break;
    case KEY_KIND_CIPHER:
        print_cipher(text, &key->value.cipher);
        if (key->ssl2_mac != NULL)
            print_mac(text, key->ssl2_mac);
        break;
    case KEY_KIND_MAC:
        print_mac(text, &key->value.mac);
        break;
    }
}

static int write_out(const struct provctx *provctx, OSSL_CORE_BIO *core_out,
                     const struct text *text)
{
    BIO *out = BIO_new_from_core_bio(provctx->libctx, core_out);
    size_t written = 0;
    int ok = out != NULL && BIO_write_ex(out, text->bytes, text->size, &written) &&
             written == text->size;

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
    struct text text;
    int ok;

    (void)selection;
    (void)callback;
    (void)arg;
    if (abstract != NULL || key == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_NO_KEY, "only a SCHANNEL key can be printed");
    if (!key_lock(key))
        return 0;
    text.size = 0;
    ok = key_id_text(key, id);
    if (ok)
        print_key(&text, key, id);
    key_unlock(key);
    return ok && write_out(provctx, core_out, &text);
}

const OSSL_DISPATCH schannel_text_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))text_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))text_free },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))text_encode },
    { 0, NULL },
};
