/* Key bytes in the clear: see raw_export.h. */
#include "keymgmt/raw_export.h"

#include <inttypes.h>
#include <openssl/params.h>
#include "key/key.h"
#include "schannel/names.h"

#define MAX_PARAMS 24

const OSSL_PARAM raw_export_types[] = {
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_ALG, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_SECRET, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_PREMASTER, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_IV, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_SALT, NULL, 0),
    OSSL_PARAM_uint64(SCHANNEL_PARAM_SEQUENCE, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_EFFECTIVE_BITS, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_HIGHEST_VERSION, NULL),
    DERIVATION_SETTABLE,
    OSSL_PARAM_END,
};

/* A list of parameters that borrow from a key. */
struct list {
    OSSL_PARAM param[MAX_PARAMS];
    size_t count;
    unsigned number[MAX_PARAMS];
};

static void add_octets(struct list *list, const char *name, struct octets value)
{
    if (value.size != 0)
        list->param[list->count++] =
            OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)value.data, value.size);
}

static void add_text(struct list *list, const char *name, const char *value)
{
    list->param[list->count++] =
        OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

static void add_number(struct list *list, const char *name, int is_given, unsigned value)
{
    if (!is_given)
        return;
    list->number[list->count] = value;
    list->param[list->count] = OSSL_PARAM_construct_uint(name, &list->number[list->count]);
    list->count++;
}

static void add_choice(struct list *list, const char *name, const struct derivation_choice *choice)
{
    add_number(list, name, choice->is_given, choice->value);
}

static void add_master(struct list *list, const struct master_value *master)
{
    const struct derivation *derivation = &master->derivation;

    add_octets(list, master->converted ? SCHANNEL_PARAM_SECRET : SCHANNEL_PARAM_PREMASTER,
               master_value_secret(master));
    add_octets(list, SCHANNEL_PARAM_CLIENT_RANDOM,
               derivation_random_octets(&derivation->client_random));
    add_octets(list, SCHANNEL_PARAM_SERVER_RANDOM,
               derivation_random_octets(&derivation->server_random));
    if (derivation->cipher != NULL)
        add_text(list, SCHANNEL_PARAM_CIPHER, derivation->cipher->name);
    if (derivation->digest != DIGEST_NONE)
        add_text(list, SCHANNEL_PARAM_DIGEST, digest_name(derivation->digest));
    add_number(list, SCHANNEL_PARAM_CIPHER_BITS, derivation->cipher_bits != 0,
               derivation->cipher_bits);
    add_number(list, SCHANNEL_PARAM_MAC_BITS, derivation->mac_bits != 0, derivation->mac_bits);
    add_choice(list, SCHANNEL_PARAM_EXPORT, &derivation->is_export);
    add_choice(list, SCHANNEL_PARAM_RELAXED_RANDOMS, &derivation->relaxed);
    add_choice(list, SCHANNEL_PARAM_SSL2_DES_DIGIT, &derivation->ssl2_des_digit);
    add_choice(list, SCHANNEL_PARAM_PCT_RAW_DES, &derivation->pct_raw_des);
    add_number(list, SCHANNEL_PARAM_RECORD_VERSION, derivation->is_tls1_1.is_given,
               derivation->is_tls1_1.value ? DERIVATION_TLS1_1 : DERIVATION_TLS1_0);
    add_number(list, SCHANNEL_PARAM_HIGHEST_VERSION, master->highest_version != 0,
               master->highest_version);
    add_octets(list, SCHANNEL_PARAM_CLEAR_KEY, shared_octets_view(derivation->clear_key));
    add_octets(list, SCHANNEL_PARAM_CERTIFICATE, shared_octets_view(derivation->certificate));
}

static void add_mac(struct list *list, struct mac_value *mac)
{
    add_text(list, SCHANNEL_PARAM_DIGEST, digest_name(mac->digest));
    add_octets(list, SCHANNEL_PARAM_SECRET, (struct octets){ mac->key, mac->key_size });
    list->param[list->count++] =
        OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, &mac->sequence);
}

static void describe(struct key *key, struct list *list)
{
    add_text(list, SCHANNEL_PARAM_ALG, key->algorithm->name);
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        add_master(list, key->value.master);
        break;
    case KEY_KIND_CIPHER:
        add_octets(list, SCHANNEL_PARAM_SECRET, cipher_value_key(&key->value.cipher));
        add_octets(list, SCHANNEL_PARAM_SALT, cipher_value_salt(&key->value.cipher));
        add_octets(list, SCHANNEL_PARAM_IV, cipher_value_chain(&key->value.cipher));
        add_number(list, SCHANNEL_PARAM_EFFECTIVE_BITS, key->value.cipher.effective_bits != 0,
                   key->value.cipher.effective_bits);
        break;
    case KEY_KIND_MAC:
        add_mac(list, &key->value.mac);
        break;
    }
    list->param[list->count] = OSSL_PARAM_construct_end();
}

/* The key's lock is held. */
static int has_running_state(const struct key *key)
{
    const struct cipher_value *cipher = &key->value.cipher;

    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        return 0;
    case KEY_KIND_CIPHER:
        return cipher_value_is_stream(cipher) ? cipher->position != 0 : cipher->u.cbc.buffered != 0;
    case KEY_KIND_MAC:
        break;
    }
    return key->value.mac.started;
}

/* The lock is held. */
static int check(const struct key *key)
{
    if (!key->exportable)
        return RAISE(key->provctx->errors, SCHANNEL_R_NOT_EXPORTABLE,
                     "this %s key is not exportable: only the sealed opaque blob leaves the "
                     "provider",
                     key->algorithm->name);
    if (key->ssl2_mac != NULL)
        return RAISE(key->provctx->errors, SCHANNEL_R_NOT_EXPORTABLE,
                     "a key of SSL 2.0 is a MAC secret with a record number as well, which its "
                     "bytes alone do not tell: use the sealed opaque blob");
    return !has_running_state(key) ||
           RAISE(key->provctx->errors, SCHANNEL_R_NOT_EXPORTABLE,
                 "this %s key is in the middle of a stream, a block or a message, which its bytes "
                 "alone do not tell: use the sealed opaque blob",
                 key->algorithm->name);
}

/* EVP_SKEY_get0_raw_key keeps the pointer that it is given: to bytes that stay with |key|. */
static int rename_secret(struct key *key, struct list *list)
{
    OSSL_PARAM *secret = OSSL_PARAM_locate(list->param, SCHANNEL_PARAM_SECRET);
    struct octets shown;

    if (secret == NULL)
        return 1; /* a premaster secret, which is no key yet */
    if (!key_show_secret(key, &shown))
        return 0;
    *secret = OSSL_PARAM_construct_octet_string(SKEY_PARAM_RAW_BYTES, (void *)(uintptr_t)shown.data,
                                                shown.size);
    return 1;
}

static int export(struct key *key, int is_skey, OSSL_CALLBACK *callback, void *arg)
{
    struct key *copy;
    struct list list = { .count = 0 };
    int ok;

    if (!key_lock(key))
        return 0;
    ok = check(key);
    key_unlock(key);
    /* The callback runs code that is not ours: on a copy, without a lock. */
    if (!ok || (copy = key_duplicate(key)) == NULL)
        return 0;
    ok = check(copy); /* another thread may have used the key in between */
    if (ok) {
        describe(copy, &list);
        ok = (!is_skey || rename_secret(key, &list)) && callback(list.param, arg);
    }
    key_free(copy);
    return ok;
}

int raw_export(void *keydata, int selection, OSSL_CALLBACK *callback, void *arg)
{
    struct key *key = keydata;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0)
        return RAISE(key->provctx->errors, SCHANNEL_R_NO_PUBLIC_PART,
                     "a SCHANNEL key is secret as a whole: there is no public part to export");
    return export(key, 0, callback, arg);
}

int raw_export_skey(void *keydata, int selection, OSSL_CALLBACK *callback, void *arg)
{
    struct key *key = keydata;

    if ((selection & OSSL_SKEYMGMT_SELECT_SECRET_KEY) == 0)
        return RAISE(
            key->provctx->errors, SCHANNEL_R_NO_PUBLIC_PART,
            "a SCHANNEL key is secret as a whole: there are no parameters to export alone");
    return export(key, 1, callback, arg);
}
