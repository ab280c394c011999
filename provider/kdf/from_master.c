/* Derivations from a live master key: see from_master.h. */
#include "kdf/from_master.h"

#include <string.h>
#include <openssl/crypto.h>
#include "key/key_trace.h"
#include "schannel/names.h"

static int is_usage(const struct kdf *kdf, const char *name)
{
    return strcmp(kdf->usage->name, name) == 0;
}

/* Does label || seed, which is what is hashed, begin with |text|?  The label's end may stand in the
 * seed. */
static int begins_with(const struct kdf *kdf, const char *text)
{
    const struct input *const parts[] = { &kdf->label, &kdf->seed };
    size_t left = strlen(text);

    for (size_t n = 0; n < 2 && left != 0; n++) {
        size_t size = parts[n]->size < left ? parts[n]->size : left;

        if (size != 0 && memcmp(text, parts[n]->data, size) != 0)
            return 0;
        text += size;
        left -= size;
    }
    return left == 0;
}

/* Is the output a secret of the connection itself? */
static int reveals_keys(const struct kdf *kdf)
{
    static const char *const labels[] = { "master secret", "key expansion", "client write key",
                                          "server write key", "IV block" };

    if (is_usage(kdf, SCHANNEL_USAGE_CLIENT_FINISHED) ||
        is_usage(kdf, SCHANNEL_USAGE_SERVER_FINISHED) ||
        is_usage(kdf, SCHANNEL_USAGE_CERTIFICATE_VERIFY))
        return 0;
    if (!is_usage(kdf, SCHANNEL_USAGE_PRF))
        return 1;
    if (kdf->protocol == KEY_PROTOCOL_SSL3)
        return 1; /* without labels every seed can be that of a key block */
    for (size_t n = 0; n < sizeof(labels) / sizeof(labels[0]); n++) {
        if (begins_with(kdf, labels[n]))
            return 1;
    }
    return 0;
}

/*
 * Would the derivation succeed?  Asked, with a secret of zeros, before something that cannot be
 * undone: a premaster secret that becomes the master secret, a transfer that is claimed.
 */
static int try_derivation(struct kdf *kdf, size_t size)
{
    static const uint8_t zeros[MASTER_VALUE_MAX_SECRET_SIZE];
    const struct protocol_rules *rules = protocol_rules(kdf->protocol);
    uint8_t *out = OPENSSL_malloc(size);
    int ok;

    if (out == NULL)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a derivation");
    ok = derivation_check_randoms(kdf->provctx->errors, kdf->protocol, &kdf->derivation) &&
         kdf_set_secret(kdf, (struct octets){ zeros, rules->max_master }) &&
         kdf_derive(kdf, out, size, NULL);
    OPENSSL_free(out);
    return ok;
}

void kdf_take_parameters(struct kdf *kdf, const struct master_value *master)
{
    struct derivation merged = master->derivation, own;

    derivation_merge(&merged, &kdf->derivation);
    derivation_copy(&own, &merged);
    derivation_clear(&kdf->derivation);
    kdf->derivation = own;
}

/* With the master locked for a look: everything that the derivation can fail for. */
static int check_master(const struct key *key, struct kdf *kdf, size_t size)
{
    const struct master_value *master = key->value.master;

    if (!key->exportable && reveals_keys(kdf))
        return RAISE(key->provctx->errors, SCHANNEL_R_NOT_EXPORTABLE,
                     "usage: this master key is not exportable, and %s%s would give its "
                     "connection's keys away",
                     kdf->usage->name,
                     is_usage(kdf, SCHANNEL_USAGE_PRF) ? " with this label or seed" : "");
    kdf_take_parameters(kdf, master);
    return (master->converted && key->transfer == NULL) || try_derivation(kdf, size);
}

/* The master secret, converted if need be, copied under the lock. */
static int take_secret(struct key *key, struct kdf *kdf)
{
    struct master_value *master;
    int ok;

    if (!key_lock_for(key, KEY_USE))
        return 0;
    master = key->value.master;
    ok = master_value_convert(key->provctx, master, &kdf->derivation) &&
         kdf_set_secret(kdf, master_value_secret(master));
    if (ok)
        key_trace(key, "used for %s", kdf->usage->name);
    key_unlock(key);
    return ok;
}

/* A context for this derivation alone.  NULL with a reason raised and the master as it was. */
static struct kdf *make_kdf(const struct kdf *context, struct key *key, size_t size)
{
    struct kdf *kdf = kdf_dup((struct kdf *)(uintptr_t)context);
    int ok;

    if (kdf == NULL)
        return NULL;
    kdf_forget_master(kdf);
    ok = key_lock(key);
    if (ok) {
        ok = check_master(key, kdf, size);
        key_unlock(key);
    }
    if (ok && take_secret(key, kdf))
        return kdf;
    kdf_free(kdf);
    return NULL;
}

int kdf_from_master(const struct kdf *context, struct key *master, uint8_t *out, size_t size)
{
    struct kdf *kdf = make_kdf(context, master, size);
    int ok = kdf != NULL && kdf_derive(kdf, out, size, NULL);

    kdf_free(kdf);
    return ok;
}
