/* A bulk cipher key and its running state: see cipher_value.h. */
#include "key/cipher_value.h"

#include <string.h>
#include <openssl/crypto.h>
#include "key/algorithm.h"

int cipher_value_is_stream(const struct cipher_value *value)
{
    return value->cipher->iv_size == 0;
}

int cipher_value_salt_is_valid(const struct bulk_cipher *cipher, size_t key_size, size_t salt_size)
{
    return salt_size == 0 ||
           (salt_size == CIPHER_VALUE_SALT_SIZE && key_size * 8 == KEY_MIN_VARIABLE_BITS &&
            (cipher->id == BULK_CIPHER_RC4 || cipher->id == BULK_CIPHER_RC2));
}

/* Room for a key with its salt. */
#define SALTED_KEY_SIZE (KEY_MIN_VARIABLE_BITS / 8 + CIPHER_VALUE_SALT_SIZE)

/* What the cipher runs with: |key|, or key || salt at |whole|, which the caller cleanses. */
static struct octets salted_key(const struct cipher_value *value, struct octets key,
                                uint8_t whole[SALTED_KEY_SIZE])
{
    if (value->salt_size == 0)
        return key;
    memcpy(whole, key.data, key.size);
    memcpy(whole + key.size, value->salt, value->salt_size);
    return (struct octets){ whole, key.size + value->salt_size };
}

static void start_stream(struct cipher_value *value, struct octets key)
{
    uint8_t whole[SALTED_KEY_SIZE];
    struct octets used = salted_key(value, key, whole);

    rc4_init(&value->u.rc4, used.data, used.size);
    OPENSSL_cleanse(whole, sizeof(whole));
}

void cipher_value_init_stopped(struct cipher_value *value, const struct bulk_cipher *cipher,
                               struct octets key, struct octets salt)
{
    memset(value, 0, sizeof(*value));
    value->cipher = cipher;
    if (key.size != 0 && key.size <= sizeof(value->key)) {
        memcpy(value->key, key.data, key.size);
        value->key_size = (uint8_t)key.size;
    }
    if (cipher->id == BULK_CIPHER_RC2)
        value->effective_bits = (uint16_t)(8 * key.size);
    if (salt.size != 0)
        memcpy(value->salt, salt.data, salt.size);
    value->salt_size = (uint8_t)salt.size;
    if (cipher_value_is_stream(value))
        return;
    cbc_init(&value->u.cbc, cipher->block_size);
    if (key.size > sizeof(value->key)) {
        memcpy(value->u.long_key, key.data, key.size);
        value->key_size = (uint8_t)key.size;
    }
}

void cipher_value_init(struct cipher_value *value, const struct bulk_cipher *cipher,
                       struct octets key, struct octets salt)
{
    cipher_value_init_stopped(value, cipher, key, salt);
    if (cipher_value_is_stream(value))
        start_stream(value, key);
}

void cipher_value_reset(struct cipher_value *value)
{
    value->position = 0;
    if (cipher_value_is_stream(value))
        start_stream(value, cipher_value_key(value));
    else
        cbc_restart(&value->u.cbc);
}

void cipher_value_set_salt(struct cipher_value *value, const uint8_t *salt)
{
    memcpy(value->salt, salt, sizeof(value->salt));
    value->salt_size = sizeof(value->salt);
    if (!cipher_value_is_stream(value))
        cbc_forget_key(&value->u.cbc);
    cipher_value_reset(value);
}

void cipher_value_clear(struct cipher_value *value)
{
    if (value->cipher != NULL && !cipher_value_is_stream(value))
        cbc_clear(&value->u.cbc);
    OPENSSL_cleanse(value, sizeof(*value));
}

void cipher_value_copy(struct cipher_value *to, const struct cipher_value *from)
{
    *to = *from;
    if (from->cipher != NULL && !cipher_value_is_stream(from))
        cbc_copy(&to->u.cbc, &from->u.cbc);
}

struct octets cipher_value_key(const struct cipher_value *value)
{
    return (struct octets){ value->key_size > sizeof(value->key) ? value->u.long_key : value->key,
                            value->key_size };
}

struct octets cipher_value_salt(const struct cipher_value *value)
{
    return (struct octets){ value->salt, value->salt_size };
}

void cipher_value_set_effective_bits(struct cipher_value *value, unsigned bits)
{
    value->effective_bits = (uint16_t)bits;
    cbc_forget_key(&value->u.cbc);
}

void cipher_value_set_iv(struct cipher_value *value, const uint8_t *iv)
{
    if (!cipher_value_is_stream(value))
        cbc_set_iv(&value->u.cbc, iv);
}

void cipher_value_restart(struct cipher_value *value)
{
    if (!cipher_value_is_stream(value))
        cbc_restart(&value->u.cbc);
}

struct octets cipher_value_chain(const struct cipher_value *value)
{
    if (cipher_value_is_stream(value))
        return (struct octets){ NULL, 0 };
    return (struct octets){ value->u.cbc.chain, value->cipher->iv_size };
}

/* Turns the outcome of the CBC code into a reason of ours. */
static int report(const struct provctx *provctx, const struct cipher_value *value,
                  enum cbc_result result)
{
    const char *name = value->cipher->name;
    unsigned buffered = value->u.cbc.buffered;

    switch (result) {
    case CBC_OK:
        return 1;
    case CBC_OUTPUT_TOO_SMALL:
        return RAISE(provctx->errors, SCHANNEL_R_OUTPUT_TOO_SMALL,
                     "%s: the output buffer is too small for the blocks that are ready", name);
    case CBC_PARTIAL_BLOCK:
        return RAISE(provctx->errors, SCHANNEL_R_PARTIAL_BLOCK,
                     buffered == 0
                         ? "%s: there is no block to take the padding off (%u of %u bytes)"
                         : "%s: the data ends with %u bytes of a %u-byte block",
                     name, buffered, (unsigned)value->cipher->block_size);
    case CBC_BAD_PADDING:
        return RAISE(provctx->errors, SCHANNEL_R_BAD_DECRYPT, "%s: the padding is wrong", name);
    case CBC_ENGINE_FAILURE:
        break;
    }
    return RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "%s: libcrypto's cipher failed",
                 name);
}

/* A job, and the salted key that it may point to. */
struct job {
    struct cbc_job cbc;
    uint8_t whole[SALTED_KEY_SIZE];
};

/*
 * Fills |job|, which the caller cleanses; refuses a change of direction while input of the other
 * direction is buffered.
 */
static int prepare(struct provctx *provctx, const struct cipher_value *value,
                   const struct cipher_use *use, struct job *job)
{
    const struct cbc_state *state = &value->u.cbc;
    struct octets key = salted_key(value, cipher_value_key(value), job->whole);

    job->cbc.direction = use->encrypt ? CBC_ENCRYPT : CBC_DECRYPT;
    job->cbc.padding = use->padding;
    job->cbc.key = key.data;
    job->cbc.key_size = key.size;
    job->cbc.effective_bits = value->effective_bits;
    if (state->buffered != 0 && state->direction != (uint8_t)job->cbc.direction)
        return RAISE(provctx->errors, SCHANNEL_R_PARTIAL_BLOCK,
                     "%s: the key holds %u bytes of a block that is being %s: it cannot %s before "
                     "that block is complete or an IV is set",
                     value->cipher->name, (unsigned)state->buffered,
                     state->direction == CBC_ENCRYPT ? "encrypted" : "decrypted",
                     use->encrypt ? "encrypt" : "decrypt");
    job->cbc.cipher = provctx_inner_cipher(provctx, value->cipher);
    return job->cbc.cipher != NULL;
}

int cipher_value_update(struct provctx *provctx, struct cipher_value *value,
                        const struct cipher_use *use, const uint8_t *in, size_t size, uint8_t *out,
                        size_t out_size, size_t *written)
{
    struct job job;
    enum cbc_result result;

    *written = 0;
    if (size == 0 && (cipher_value_is_stream(value) || value->u.cbc.buffered == 0))
        return 1;
    if (cipher_value_is_stream(value)) {
        if (out_size < size)
            return RAISE(provctx->errors, SCHANNEL_R_OUTPUT_TOO_SMALL,
                         "%s: %zu bytes of output need as much room, got %zu", value->cipher->name,
                         size, out_size);
        rc4_apply(&value->u.rc4, in, out, size);
        *written = size;
        value->position += size;
        return 1;
    }
    if (!prepare(provctx, value, use, &job))
        return 0;
    result = cbc_update(&value->u.cbc, &job.cbc, in, size, out, out_size, written);
    OPENSSL_cleanse(job.whole, value->salt_size != 0 ? sizeof(job.whole) : 0);
    if (result == CBC_OK)
        value->position += size;
    return report(provctx, value, result);
}

int cipher_value_final(struct provctx *provctx, struct cipher_value *value,
                       const struct cipher_use *use, uint8_t *out, size_t out_size, size_t *written)
{
    struct job job;
    enum cbc_result result;

    *written = 0;
    if (cipher_value_is_stream(value))
        return 1;
    if (!prepare(provctx, value, use, &job))
        return 0;
    /* Whatever libcrypto queues on failure is replaced by a reason of ours. */
    errors_mark(provctx->errors);
    result = cbc_final(&value->u.cbc, &job.cbc, out, out_size, written);
    errors_unmark(provctx->errors, 0);
    OPENSSL_cleanse(job.whole, value->salt_size != 0 ? sizeof(job.whole) : 0);
    return report(provctx, value, result);
}
