/* What an opaque blob seals: see opaque_payload.h, where the layout stands. */
#include "blob/opaque_payload.h"

#include <string.h>
#include <openssl/crypto.h>

/* Places of the pairs of bits in Master.choices. */
#define CHOICE_EXPORT  0
#define CHOICE_RELAXED 2
#define CHOICE_BITS    0x0f /* those that this release knows */

/* ---- writing ---- */

static void write_random(struct writer *writer, const struct derivation_random *random)
{
    writer_vector8(writer, (struct octets){ random->data, random->size });
}

/* Two bits of |choices|. */
static uint16_t choice(unsigned given, unsigned value, unsigned place)
{
    return (uint16_t)((given | value << 1) << place);
}

static void write_master(struct writer *writer, const struct master_value *master)
{
    static const struct octets none = { NULL, 0 };
    const struct derivation *derivation = &master->derivation;

    writer_u8(writer, master->converted);
    writer_vector16(writer, master_value_secret(master));
    write_random(writer, &derivation->client_random);
    write_random(writer, &derivation->server_random);
    writer_vector16(writer, none); /* clear_key */
    writer_vector16(writer, none); /* certificate */
    writer_u8(writer, derivation->cipher != NULL ? (uint8_t)derivation->cipher->id
                                                 : (uint8_t)BULK_CIPHER_NONE);
    writer_u16(writer, derivation->cipher_bits);
    writer_u8(writer, (uint8_t)derivation->digest);
    writer_u16(writer, derivation->mac_bits);
    writer_u16(writer, 0); /* highest_version */
    writer_u16(writer, choice(derivation->has_export, derivation->is_export, CHOICE_EXPORT) |
                           choice(derivation->has_relaxed, derivation->relaxed, CHOICE_RELAXED));
}

static void write_cipher(struct writer *writer, const struct cipher_value *cipher)
{
    const struct cbc_state *cbc = &cipher->u.cbc;

    writer_vector8(writer, cipher_value_key(cipher));
    writer_vector8(writer, cipher_value_salt(cipher));
    writer_u64(writer, cipher->position);
    if (cipher_value_is_stream(cipher)) {
        writer_copy(writer, cipher->u.rc4.s, sizeof(cipher->u.rc4.s));
        writer_u8(writer, cipher->u.rc4.i);
        writer_u8(writer, cipher->u.rc4.j);
        return;
    }
    writer_copy(writer, cbc->iv, cbc->block_size);
    writer_copy(writer, cbc->chain, cbc->block_size);
    writer_u8(writer, cbc->direction);
    writer_vector8(writer, (struct octets){ cbc->buffer, cbc->buffered });
}

static void write_mac(struct writer *writer, const struct mac_value *mac)
{
    uint8_t saved[DIGEST_MAX_SAVED];
    size_t size;

    writer_u8(writer, (uint8_t)mac->digest);
    writer_vector8(writer, (struct octets){ mac->key, mac->key_size });
    writer_u64(writer, mac->sequence);
    writer_u8(writer, mac->started);
    if (!mac->started)
        return;
    writer_u8(writer, mac->in_record);
    writer_u16(writer, mac->record_length);
    writer_u64(writer, mac->absorbed);
    size = digest_save(&mac->running, saved);
    writer_vector8(writer, (struct octets){ saved, size });
    OPENSSL_cleanse(saved, sizeof(saved));
}

void opaque_payload_write(struct writer *writer, const struct key *key,
                          const struct moment *deadline)
{
    writer_copy(writer, key->id, sizeof(key->id));
    writer_u8(writer, key->fork_allowed);
    if (deadline != NULL) {
        writer_copy(writer, deadline->boot_id, sizeof(deadline->boot_id));
        writer_u32(writer, deadline->boot);
    }
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        write_master(writer, key->value.master);
        break;
    case KEY_KIND_CIPHER:
        write_cipher(writer, &key->value.cipher);
        break;
    case KEY_KIND_MAC:
        write_mac(writer, &key->value.mac);
        break;
    }
}

/* ---- reading: authentic, but checked all the same ---- */

static int read_random(struct reader *reader, struct derivation_random *random)
{
    struct octets value = reader_vector8(reader, sizeof(random->data));

    if (value.size != 0)
        memcpy(random->data, value.data, value.size);
    random->size = (uint8_t)value.size;
    return !reader->failed;
}

/* Not given has no value. */
static int read_choice(unsigned choices, unsigned place, uint8_t *given, uint8_t *value)
{
    *given = choices >> place & 1;
    *value = choices >> (place + 1) & 1;
    return *given || !*value;
}

/* What this release cannot keep is refused rather than lost. */
static int read_derivation(struct reader *reader, struct derivation *derivation)
{
    struct octets clear_key, certificate;
    uint8_t cipher, digest;
    uint16_t highest_version, choices;

    if (!read_random(reader, &derivation->client_random) ||
        !read_random(reader, &derivation->server_random))
        return 0;
    clear_key = reader_vector16(reader, 0);
    certificate = reader_vector16(reader, 0);
    cipher = reader_u8(reader);
    derivation->cipher = bulk_cipher_by_id(cipher);
    derivation->cipher_bits = reader_u16(reader);
    digest = reader_u8(reader);
    derivation->digest = (enum digest_id)digest;
    derivation->mac_bits = reader_u16(reader);
    highest_version = reader_u16(reader);
    choices = reader_u16(reader);
    return !reader->failed && clear_key.size == 0 && certificate.size == 0 &&
           (derivation->cipher != NULL || cipher == BULK_CIPHER_NONE) && digest <= DIGEST_SHA1 &&
           highest_version == 0 && (choices & ~CHOICE_BITS) == 0 &&
           read_choice(choices, CHOICE_EXPORT, &derivation->has_export, &derivation->is_export) &&
           read_choice(choices, CHOICE_RELAXED, &derivation->has_relaxed, &derivation->relaxed);
}

static int read_master(struct reader *reader, struct key *key)
{
    struct master_value *master = OPENSSL_zalloc(sizeof(*master));
    uint8_t converted = reader_u8(reader);
    struct octets secret = reader_vector16(reader, MASTER_VALUE_MAX_PREMASTER_SIZE);

    key->value.master = master; /* freed with the key, whatever happens */
    if (master == NULL || reader->failed || secret.size == 0 || converted > 1)
        return 0;
    if (converted) {
        if (secret.size != TLS1_MASTER_SECRET_SIZE)
            return 0;
        master_value_init_secret(master, key->protocol, secret);
    } else if (!master_value_init_premaster(master, key->protocol, secret)) {
        return 0;
    }
    return read_derivation(reader, &master->derivation);
}

static int read_cbc(struct reader *reader, struct cbc_state *cbc)
{
    struct octets buffered;
    uint8_t direction;

    reader_copy(reader, cbc->iv, cbc->block_size);
    reader_copy(reader, cbc->chain, cbc->block_size);
    direction = reader_u8(reader);
    buffered = reader_vector8(reader, cbc->block_size);
    if (reader->failed || direction > CBC_DECRYPT ||
        (direction == CBC_NONE) != (buffered.size == 0) ||
        (direction == CBC_ENCRYPT && buffered.size == cbc->block_size))
        return 0;
    if (buffered.size != 0)
        memcpy(cbc->buffer, buffered.data, buffered.size);
    cbc->buffered = (uint8_t)buffered.size;
    cbc->direction = direction;
    return 1;
}

/* Contexts have RC4 keys of any size; the longest are not kept. */
static int key_size_is_readable(const struct bulk_cipher *cipher, size_t size)
{
    return cipher->id == BULK_CIPHER_RC4 ? size <= BULK_CIPHER_MAX_KEY_SIZE
                                         : key_size_is_valid(cipher, size);
}

static int read_cipher(struct reader *reader, struct key *key)
{
    const struct bulk_cipher *cipher = bulk_cipher_by_id(key->algorithm->cipher);
    struct cipher_value *value = &key->value.cipher;
    struct octets secret = reader_vector8(reader, BULK_CIPHER_MAX_KEY_SIZE);
    struct octets salt = reader_vector8(reader, CIPHER_VALUE_SALT_SIZE);
    uint64_t position = reader_u64(reader);

    if (reader->failed || !key_size_is_readable(cipher, secret.size) ||
        !cipher_value_salt_is_valid(cipher, secret.size, salt.size))
        return 0;
    cipher_value_init_stopped(value, cipher, secret, salt);
    value->position = position;
    if (!cipher_value_is_stream(value))
        return read_cbc(reader, &value->u.cbc);
    reader_copy(reader, value->u.rc4.s, sizeof(value->u.rc4.s));
    value->u.rc4.i = reader_u8(reader);
    value->u.rc4.j = reader_u8(reader);
    return !reader->failed && rc4_state_is_valid(&value->u.rc4);
}

static int read_message(struct reader *reader, struct mac_value *mac)
{
    struct octets saved;

    mac->in_record = reader_u8(reader);
    mac->record_length = reader_u16(reader);
    mac->absorbed = reader_u64(reader);
    saved = reader_vector8(reader, DIGEST_MAX_SAVED);
    mac->started = 1;
    return !reader->failed && mac->in_record <= 1 &&
           digest_restore(&mac->running, mac->digest, saved.data, saved.size);
}

static int read_mac(struct reader *reader, struct key *key)
{
    struct mac_value *mac = &key->value.mac;
    uint8_t digest = reader_u8(reader);
    struct octets secret = reader_vector8(reader, MAC_VALUE_MAX_KEY_SIZE);
    uint64_t sequence = reader_u64(reader);
    uint8_t started = reader_u8(reader);

    if (reader->failed || (digest != DIGEST_MD5 && digest != DIGEST_SHA1) || started > 1)
        return 0;
    mac_value_init(mac, key->protocol, (enum digest_id)digest, secret);
    mac->sequence = sequence;
    return !started || read_message(reader, mac);
}

int opaque_payload_read(struct key *key, struct octets payload, struct moment *deadline)
{
    struct reader reader;
    uint8_t fork;
    int ok = 0;

    reader_init(&reader, payload.data, payload.size);
    reader_copy(&reader, key->id, sizeof(key->id));
    key->has_id = 1;
    fork = reader_u8(&reader);
    key->fork_allowed = fork != 0;
    if (deadline != NULL) {
        reader_copy(&reader, deadline->boot_id, sizeof(deadline->boot_id));
        deadline->boot = reader_u32(&reader);
    }
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        ok = read_master(&reader, key);
        break;
    case KEY_KIND_CIPHER:
        ok = read_cipher(&reader, key);
        break;
    case KEY_KIND_MAC:
        ok = read_mac(&reader, key);
        break;
    }
    return ok && fork <= 1 && reader_is_finished(&reader);
}
