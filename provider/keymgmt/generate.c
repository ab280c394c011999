/*
 * Generation contexts: see generate.h.
 *
 * Without a template a context makes random keys or keys of known bytes.  With a master as template
 * it is one master hash: the first generation copies the master (libcrypto hands it over only
 * then), and from then on the master may change, be retired or go away.  With a session key as
 * template it makes duplicates.
 */
#include "keymgmt/generate.h"

#include <openssl/crypto.h>
#include "key/derivation.h"
#include "key/key.h"
#include "keymgmt/request.h"
#include "protocol/tls1.h"
#include "schannel/names.h"

struct generation {
    struct provctx *provctx;
    struct request request;
    struct key *template_copy; /* ours; NULL: no template so far */
};

void *generate_init(void *vprovctx, int selection, const OSSL_PARAM params[])
{
    struct provctx *provctx = vprovctx;
    struct generation *generation = OPENSSL_zalloc(sizeof(*generation));

    (void)selection;
    if (generation == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a generation context");
        return NULL;
    }
    generation->provctx = provctx;
    if (!generate_set_params(generation, params)) {
        generate_cleanup(generation);
        return NULL;
    }
    return generation;
}

void generate_cleanup(void *vgeneration)
{
    struct generation *generation = vgeneration;

    if (generation == NULL)
        return;
    request_clear(&generation->request);
    key_free(generation->template_copy);
    OPENSSL_free(generation);
}

int generate_set_params(void *vgeneration, const OSSL_PARAM params[])
{
    struct generation *generation = vgeneration;

    return request_set(generation->provctx, &generation->request, params);
}

const OSSL_PARAM *generate_settable_params(void *vgeneration, void *provctx)
{
    (void)vgeneration;
    (void)provctx;
    return request_generation_types;
}

/*
 * The premaster secret becomes the master secret in the application's key object, once, with the
 * randoms of this derivation; everybody copies the converted master afterwards.
 */
static int convert_template(struct key *key, const struct request *request)
{
    struct derivation derivation;
    int ok;

    if (!key_lock_for(key, KEY_USE))
        return 0;
    if (key->algorithm->kind != KEY_KIND_MASTER) {
        key_unlock(key);
        return 1;
    }
    derivation = key->value.master->derivation;
    derivation_merge(&derivation, &request->derivation);
    ok = master_value_convert(key->provctx, key->value.master, &derivation);
    key_unlock(key);
    return ok;
}

int generate_set_template(void *vgeneration, void *keydata)
{
    struct generation *generation = vgeneration;

    if (generation->template_copy != NULL)
        return 1;
    if (!convert_template(keydata, &generation->request))
        return 0;
    generation->template_copy = key_duplicate(keydata);
    return generation->template_copy != NULL;
}

/* ---- a session key from the copy of a master ---- */

static int derive_mac(struct key *key, const struct master_value *master,
                      const struct derivation *derivation)
{
    enum tls1_side side = key_usage_is_server(key->usage) ? TLS1_SERVER : TLS1_CLIENT;
    struct tls1_connection connection;
    struct bulk_cipher_sizes sizes;
    uint8_t bytes[DIGEST_MAX_SIZE];

    if (!derivation_tls1_connection(key->provctx, derivation, 1, &connection, &sizes))
        return 0;
    key->algorithm = key_algorithm_by_id(KEY_TLS1_MAC);
    tls1_mac_secret(master->secret, &connection, side, bytes);
    mac_value_init(&key->value.mac, key->protocol, derivation->digest,
                   (struct octets){ bytes, connection.mac_size });
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return 1;
}

static int derive_cipher(struct key *key, const struct master_value *master,
                         const struct derivation *derivation)
{
    enum tls1_side side = key_usage_is_server(key->usage) ? TLS1_SERVER : TLS1_CLIENT;
    struct tls1_connection connection;
    struct bulk_cipher_sizes sizes;
    uint8_t bytes[BULK_CIPHER_MAX_KEY_SIZE], iv[BULK_CIPHER_MAX_BLOCK_SIZE];
    const struct key_algorithm *algorithm;

    if (!derivation_tls1_connection(key->provctx, derivation, 0, &connection, &sizes))
        return 0;
    if ((algorithm = key_algorithm_by_cipher(derivation->cipher)) == NULL)
        return RAISE(key->provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                     "cipher: this release has no key objects for %s (TLS1-KDF derives its key "
                     "bytes)",
                     derivation->cipher->name);
    if (!tls1_write_key(master->secret, &connection, side, bytes, iv))
        return RAISE(key->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "cipher-bits: %s has no such key", derivation->cipher->name);
    key->algorithm = algorithm;
    cipher_value_init(&key->value.cipher, derivation->cipher, (struct octets){ bytes, sizes.key },
                      (struct octets){ NULL, 0 });
    cipher_value_set_iv(&key->value.cipher, iv);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(iv, sizeof(iv));
    return 1;
}

/* What a derivation takes from its master cannot be given as well. */
static int check_no_key_bytes(const struct provctx *provctx, const struct request *request)
{
    const char *name = NULL;

    if (request->algorithm != NULL)
        name = SCHANNEL_PARAM_ALG;
    else if (request->bits != 0)
        name = SCHANNEL_PARAM_BITS;
    else if (request->secret != NULL)
        name = SCHANNEL_PARAM_SECRET;
    else if (request->premaster != NULL)
        name = SCHANNEL_PARAM_PREMASTER;
    else if (request->salt_mode != SALT_MODE_DEFAULT)
        name = SCHANNEL_PARAM_SALT_MODE;
    return name == NULL || RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                                 "%s: excluded by the key that is derived or copied from", name);
}

static struct key *derive(struct generation *generation)
{
    const struct request *request = &generation->request;
    const struct master_value *master = generation->template_copy->value.master;
    struct derivation derivation = master->derivation;
    struct key *key;
    int ok;

    if (request->usage == KEY_USAGE_NONE) {
        RAISE(generation->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
              "usage: is not set: client-write-key, server-write-key, client-write-mac or "
              "server-write-mac of this master?");
        return NULL;
    }
    if ((key = key_new(generation->provctx)) == NULL)
        return NULL;
    derivation_merge(&derivation, &request->derivation);
    key->protocol = master->protocol;
    key->usage = request->usage;
    key->exportable = request->exportable;
    ok = key_usage_is_mac(request->usage) ? derive_mac(key, master, &derivation)
                                          : derive_cipher(key, master, &derivation);
    if (ok && request_apply_to(key, request))
        return key;
    key_free(key);
    return NULL;
}

static struct key *duplicate(struct generation *generation)
{
    const char *name = derivation_given(&generation->request.derivation, 0);
    struct key *key;

    if (generation->request.usage != KEY_USAGE_NONE)
        name = SCHANNEL_PARAM_USAGE;
    if (name != NULL) {
        RAISE(generation->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
              "%s: keys are derived from a master key, but this is a %s key", name,
              generation->template_copy->algorithm->name);
        return NULL;
    }
    key = key_duplicate(generation->template_copy);
    if (key != NULL && !request_apply_to(key, &generation->request)) {
        key_free(key);
        key = NULL;
    }
    return key;
}

static struct key *make(struct generation *generation)
{
    struct key *key;

    if (generation->request.usage != KEY_USAGE_NONE) {
        RAISE(generation->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
              "usage: needs a master key to derive from (EVP_PKEY_CTX_new_from_pkey, genpkey "
              "-paramfile)");
        return NULL;
    }
    key = key_new(generation->provctx);
    if (key != NULL && !request_make_key(key, &generation->request, 1)) {
        key_free(key);
        key = NULL;
    }
    return key;
}

void *generate(void *vgeneration, OSSL_CALLBACK *callback, void *arg)
{
    struct generation *generation = vgeneration;
    struct key *template_copy = generation->template_copy;

    (void)callback;
    (void)arg;
    if (template_copy == NULL)
        return make(generation);
    if (!check_no_key_bytes(generation->provctx, &generation->request))
        return NULL;
    return template_copy->algorithm->kind == KEY_KIND_MASTER ? derive(generation)
                                                             : duplicate(generation);
}
