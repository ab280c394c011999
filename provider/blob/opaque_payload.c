/* What an opaque blob seals: see opaque_payload.h, where the layout stands. */
#include "blob/opaque_payload.h"

#include <string.h>
#include <openssl/crypto.h>
#include "params.h"

/* Places of the pairs of bits in Master.choices. */
#define CHOICE_EXPORT         0
#define CHOICE_RELAXED        2
#define CHOICE_SSL2_DES_DIGIT 4
#define CHOICE_PCT_RAW_DES    6
#define CHOICE_TLS1_1         8
#define CHOICE_BITS           0x3ff /* those that there are */

/* ---- writing ---- */

static void write_random(struct writer *writer, const struct derivation_random *random)
{
    writer_vector8(writer, (struct octets){ random->data, random->size });
}

/* Two bits of |choices|. */
static unsigned choice(const struct derivation_choice *made, unsigned place)
{
    return (made->is_given | (unsigned)made->value << 1) << place;
}

static uint16_t all_choices(const struct derivation *derivation)
{
    return (uint16_t)(choice(&derivation->is_export, CHOICE_EXPORT) |
                      choice(&derivation->relaxed, CHOICE_RELAXED) |
                      choice(&derivation->ssl2_des_digit, CHOICE_SSL2_DES_DIGIT) |
                      choice(&derivation->pct_raw_des, CHOICE_PCT_RAW_DES) |
                      choice(&derivation->is_tls1_1, CHOICE_TLS1_1));
}

static void write_master(struct writer *writer, const struct master_value *master)
{
    const struct derivation *derivation = &master->derivation;

    writer_u8(writer, master->converted);
    writer_vector16(writer, master_value_secret(master));
    write_random(writer, &derivation->client_random);
    write_random(writer, &derivation->server_random);
    writer_vector16(writer, shared_octets_view(derivation->clear_key));
    writer_vector16(writer, shared_octets_view(derivation->certificate));
    writer_u8(writer, derivation->cipher != NULL ? (uint8_t)derivation->cipher->id
                                                 : (uint8_t)BULK_CIPHER_NONE);
    writer_u16(writer, derivation->cipher_bits);
    writer_u8(writer, (uint8_t)derivation->digest);
    writer_u16(writer, derivation->mac_bits);
    writer_u16(writer, master->highest_version);
    writer_u16(writer, all_choices(derivation));
}

static void write_message(struct writer *writer, const struct mac_value *mac)
{
    uint8_t saved[DIGEST_MAX_SAVED];
    size_t size;

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

static void write_cbc(struct writer *writer, const struct cbc_state *cbc)
{
    writer_copy(writer, cbc->iv, cbc->block_size);
    writer_copy(writer, cbc->chain, cbc->block_size);
    writer_u8(writer, cbc->direction);
    writer_vector8(writer, (struct octets){ cbc->buffer, cbc->buffered });
}

static void write_cipher(struct writer *writer, const struct key *key)
{
    const struct cipher_value *cipher = &key->value.cipher;

    writer_vector8(writer, cipher_value_key(cipher));
    writer_vector8(writer, cipher_value_salt(cipher));
    writer_u64(writer, cipher->position);
    if (cipher_value_is_stream(cipher)) {
        writer_copy(writer, cipher->u.rc4.s, sizeof(cipher->u.rc4.s));
        writer_u8(writer, cipher->u.rc4.i);
        writer_u8(writer, cipher->u.rc4.j);
    } else {
        if (cipher->cipher->id == BULK_CIPHER_RC2)
            writer_u16(writer, cipher->effective_bits);
        write_cbc(writer, &cipher->u.cbc);
    }
    if (key->ssl2_mac != NULL) {
        writer_u64(writer, key->ssl2_mac->sequence);
        write_message(writer, key->ssl2_mac);
    }
}

static void write_mac(struct writer *writer, const struct mac_value *mac)
{
    writer_u8(writer, (uint8_t)mac->digest);
    writer_vector8(writer, (struct octets){ mac->key, mac->key_size });
    writer_u64(writer, mac->sequence);
    write_message(writer, mac);
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
        write_cipher(writer, key);
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
static int read_choice(unsigned choices, unsigned place, struct derivation_choice *choice)
{
    choice->is_given = choices >> place & 1;
    choice->value = choices >> (place + 1) & 1;
    return choice->is_given || !choice->value;
}

static int read_choices(unsigned choices, struct derivation *derivation)
{
    return (choices & ~(unsigned)CHOICE_BITS) == 0 &&
           read_choice(choices, CHOICE_EXPORT, &derivation->is_export) &&
           read_choice(choices, CHOICE_RELAXED, &derivation->relaxed) &&
           read_choice(choices, CHOICE_SSL2_DES_DIGIT, &derivation->ssl2_des_digit) &&
           read_choice(choices, CHOICE_PCT_RAW_DES, &derivation->pct_raw_des) &&
           read_choice(choices, CHOICE_TLS1_1, &derivation->is_tls1_1);
}

static enum payload_result read_shared(struct reader *reader, size_t most,
                                       struct shared_octets **shared)
{
    struct octets value = reader_vector16(reader, most);

    if (reader->failed)
        return PAYLOAD_MALFORMED;
    if (value.size != 0 && (*shared = shared_octets_new(value)) == NULL)
        return PAYLOAD_NO_MEMORY;
    return PAYLOAD_READ;
}

static int version_is_readable(const struct master_value *master)
{
    return master->highest_version == 0 || (protocol_rules(master->protocol)->has_premaster &&
                                            master->highest_version >= PARAMS_MIN_VERSION &&
                                            master->highest_version <= PARAMS_MAX_VERSION);
}

static int read_algorithms(struct reader *reader, struct master_value *master)
{
    struct derivation *derivation = &master->derivation;
    const uint8_t cipher = reader_u8(reader);
    uint8_t digest;

    derivation->cipher = bulk_cipher_by_id(cipher);
    derivation->cipher_bits = reader_u16(reader);
    digest = reader_u8(reader);
    derivation->digest = (enum digest_id)digest;
    derivation->mac_bits = reader_u16(reader);
    master->highest_version = reader_u16(reader);
    return read_choices(reader_u16(reader), derivation) && !reader->failed &&
           derivation->cipher_bits <= DERIVATION_MAX_BITS &&
           derivation->mac_bits <= DERIVATION_MAX_BITS &&
           (derivation->cipher != NULL || cipher == BULK_CIPHER_NONE) && digest <= DIGEST_SHA1 &&
           version_is_readable(master) &&
           derivation_check_protocol(NULL, master->protocol, derivation) &&
           derivation_check_lengths(NULL, master->protocol, derivation);
}

static enum payload_result read_derivation(struct reader *reader, struct master_value *master)
{
    struct derivation *derivation = &master->derivation;
    enum payload_result result;

    if (!read_random(reader, &derivation->client_random) ||
        !read_random(reader, &derivation->server_random))
        return PAYLOAD_MALFORMED;
    result = read_shared(reader, DERIVATION_MAX_CLEAR_KEY_SIZE, &derivation->clear_key);
    if (result == PAYLOAD_READ)
        result = read_shared(reader, DERIVATION_MAX_CERTIFICATE_SIZE, &derivation->certificate);
    if (result == PAYLOAD_READ && !read_algorithms(reader, master))
        result = PAYLOAD_MALFORMED;
    return result;
}

static enum payload_result read_master(struct reader *reader, struct key *key)
{
    const struct protocol_rules *rules = protocol_rules(key->protocol);
    struct master_value *master = OPENSSL_zalloc(sizeof(*master));
    uint8_t converted = reader_u8(reader);
    struct octets secret = reader_vector16(reader, MASTER_VALUE_MAX_PREMASTER_SIZE);

    key->value.master = master; /* freed with the key, whatever happens */
    if (master == NULL)
        return PAYLOAD_NO_MEMORY;
    if (reader->failed || secret.size == 0 || converted > 1 ||
        (converted ? secret.size < rules->min_master || secret.size > rules->max_master
                   : !rules->has_premaster))
        return PAYLOAD_MALFORMED;
    if (converted)
        master_value_init_secret(master, key->protocol, secret);
    else if (!master_value_init_premaster(master, key->protocol, secret))
        return PAYLOAD_NO_MEMORY;
    return read_derivation(reader, master);
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

static int read_message(struct reader *reader, struct mac_value *mac)
{
    uint8_t started = reader_u8(reader);
    struct octets saved;

    if (reader->failed || started > 1 || !mac_value_sequence_is_valid(mac))
        return 0;
    if (!started)
        return 1;
    mac->in_record = reader_u8(reader);
    mac->record_length = reader_u16(reader);
    mac->absorbed = reader_u64(reader);
    saved = reader_vector8(reader, DIGEST_MAX_SAVED);
    mac->started = 1;
    return !reader->failed && mac->in_record <= 1 &&
           digest_restore(&mac->running, mac->digest, saved.data, saved.size) &&
           mac_value_is_consistent(mac);
}

/* Contexts have RC4 and RC2 keys of any size; the longest of RC4 are not kept. */
static int key_size_is_readable(const struct bulk_cipher *cipher, size_t size)
{
    if (cipher->id == BULK_CIPHER_RC4)
        return size <= BULK_CIPHER_MAX_KEY_SIZE;
    if (cipher->id == BULK_CIPHER_RC2)
        return size >= 1 && size <= CIPHER_VALUE_MAX_RC2_SIZE;
    return key_size_is_valid(cipher, size);
}

static int read_rc4(struct reader *reader, struct rc4_state *rc4)
{
    reader_copy(reader, rc4->s, sizeof(rc4->s));
    rc4->i = reader_u8(reader);
    rc4->j = reader_u8(reader);
    return !reader->failed && rc4_state_is_valid(rc4);
}

static int read_block_cipher(struct reader *reader, struct cipher_value *value)
{
    if (value->cipher->id == BULK_CIPHER_RC2) {
        value->effective_bits = reader_u16(reader);
        if (value->effective_bits == 0 || value->effective_bits > CIPHER_VALUE_MAX_EFFECTIVE_BITS)
            return 0;
    }
    return read_cbc(reader, &value->u.cbc);
}

static enum payload_result read_cipher(struct reader *reader, struct key *key)
{
    const struct bulk_cipher *cipher = bulk_cipher_by_id(key->algorithm->cipher);
    struct cipher_value *value = &key->value.cipher;
    struct octets secret = reader_vector8(reader, CIPHER_VALUE_MAX_RC2_SIZE);
    struct octets salt = reader_vector8(reader, CIPHER_VALUE_SALT_SIZE);
    uint64_t position = reader_u64(reader);

    if (reader->failed || !key_size_is_readable(cipher, secret.size) ||
        !cipher_value_salt_is_valid(cipher, secret.size, salt.size))
        return PAYLOAD_MALFORMED;
    cipher_value_init_stopped(value, cipher, secret, salt);
    value->position = position;
    if (!(cipher_value_is_stream(value) ? read_rc4(reader, &value->u.rc4)
                                        : read_block_cipher(reader, value)))
        return PAYLOAD_MALFORMED;
    if (key->protocol != KEY_PROTOCOL_SSL2)
        return PAYLOAD_READ;
    if (!key_add_ssl2_mac(key))
        return PAYLOAD_NO_MEMORY;
    key->ssl2_mac->sequence = reader_u64(reader);
    return read_message(reader, key->ssl2_mac) ? PAYLOAD_READ : PAYLOAD_MALFORMED;
}

static int read_mac(struct reader *reader, struct key *key)
{
    struct mac_value *mac = &key->value.mac;
    uint8_t digest = reader_u8(reader);
    struct octets secret = reader_vector8(reader, MAC_VALUE_MAX_KEY_SIZE);
    uint64_t sequence = reader_u64(reader);

    if (reader->failed || (digest != DIGEST_MD5 && digest != DIGEST_SHA1) ||
        (key->protocol == KEY_PROTOCOL_SSL2 && digest != DIGEST_MD5))
        return 0;
    mac_value_init(mac, key->protocol, (enum digest_id)digest, secret);
    mac->sequence = sequence;
    return read_message(reader, mac);
}

enum payload_result opaque_payload_read(struct key *key, struct octets payload,
                                        struct moment *deadline)
{
    enum payload_result result = PAYLOAD_MALFORMED;
    struct reader reader;
    uint8_t fork;

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
        result = read_master(&reader, key);
        break;
    case KEY_KIND_CIPHER:
        result = read_cipher(&reader, key);
        break;
    case KEY_KIND_MAC:
        if (read_mac(&reader, key))
            result = PAYLOAD_READ;
        break;
    }
    if (result == PAYLOAD_READ && (fork > 1 || !reader_is_finished(&reader)))
        result = PAYLOAD_MALFORMED;
    return result;
}
