/* A derivation's output as a key object: see session_key.h. */
#include "kdf/session_key.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include "kdf/from_master.h"
#include "key/derived_key.h"
#include "key/key_trace.h"
#include "schannel/names.h"

static int check_usage(const struct kdf *kdf)
{
    return key_usage_by_name(kdf->usage->name) != KEY_USAGE_NONE ||
           RAISE(kdf->provctx->errors, SCHANNEL_R_UNKNOWN_USAGE,
                 "usage: expected client-write-key, server-write-key, client-write-mac or "
                 "server-write-mac for a key object, got \"%s\"",
                 kdf->usage->name);
}

/* What was set on a master counts where |kdf| says nothing else. */
static int check_size(const struct kdf *kdf, struct key *master, size_t size)
{
    struct kdf merged = *kdf; /* borrows everything */
    size_t expected;
    int ok;

    if (size == 0)
        return 1;
    if (master != NULL) {
        if (!key_lock_kind(master, KEY_KIND_MASTER, KEY_LOOK, "derive"))
            return 0;
        merged.derivation = master->value.master->derivation;
        derivation_merge(&merged.derivation, &kdf->derivation);
    }
    ok = kdf->usage->size(kdf->provctx->errors, &merged, &expected) &&
         (size == expected || RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                                    "keylen: usage %s gives %zu bytes with these parameters, not "
                                    "%zu",
                                    kdf->usage->name, expected, size));
    if (master != NULL)
        key_unlock(master);
    return ok;
}

/* From the bytes set on |kdf|. */
static struct key *from_secret(const struct kdf *kdf, enum key_usage usage)
{
    uint8_t buffer[KDF_MAX_MASTER_SIZE];
    struct master_value value = { 0 };
    struct octets secret;
    struct key *key = NULL;

    if (kdf_get_master(kdf, buffer, &secret)) {
        master_value_init_secret(&value, kdf->protocol, secret);
        key = derived_key_new(kdf->provctx, &value, usage, &kdf->derivation, NULL);
    }
    OPENSSL_cleanse(buffer, sizeof(buffer));
    OPENSSL_cleanse(&value, sizeof(value));
    return key;
}

struct key *kdf_session_key(const struct kdf *kdf, struct key *master, size_t size)
{
    const enum key_usage usage = key_usage_by_name(kdf->usage->name);
    struct key *key;

    if (!check_usage(kdf) || !kdf_usage_check(kdf, kdf->usage) || !check_size(kdf, master, size))
        return NULL;
    key = master != NULL ? derived_key_from(master, usage, &kdf->derivation)
                         : from_secret(kdf, usage);
    if (key != NULL)
        key_trace(key, "derived from a master key");
    return key;
}

/* ---- the functions of a KDF's dispatch table ---- */

/* The master key; "key" is libcrypto's name for the secret of any KDF. */
int kdf_set_skey(void *vkdf, void *skey, const char *name)
{
    struct kdf *kdf = vkdf;
    struct key *master = skey;
    int ok;

    if (strcmp(name, OSSL_KDF_PARAM_KEY) != 0 && strcmp(name, SCHANNEL_PARAM_SECRET) != 0)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "%s: cannot be an EVP_SKEY, only secret (or key) can", name);
    if (!key_lock_kind(master, KEY_KIND_MASTER, KEY_LOOK, name))
        return 0;
    ok = master->protocol == kdf->protocol ||
         RAISE(kdf->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
               "%s: expected a master key of %s, got a key of %s", name,
               key_protocol_name(kdf->protocol), master->algorithm->name);
    if (ok)
        kdf_take_parameters(kdf, master->value.master);
    key_unlock(master);
    if (!ok)
        return 0;
    key_up_ref(master);
    kdf_forget_master(kdf);
    kdf->master = master;
    return 1;
}

void *kdf_derive_skey(void *vkdf, const char *key_type, void *provctx,
                      OSSL_FUNC_skeymgmt_import_fn *import, size_t size, const OSSL_PARAM params[])
{
    struct kdf *kdf = vkdf;

    (void)key_type; /* one key type, ours: libcrypto asks nobody else's provider */
    (void)provctx;
    (void)import;
    if (!kdf_set_ctx_params(kdf, params) || !kdf_check_one_secret(kdf))
        return NULL;
    return kdf_session_key(kdf, kdf->master, size);
}
