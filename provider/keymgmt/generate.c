/*
 * Generation contexts: see generate.h.
 *
 * Without a template keys are random, of known bytes or of a password.  With a master as template
 * it is one master hash: the first generation copies the master (libcrypto hands it over only
 * then), and from then on the master may change, be retired or go away.  With a session key as
 * template it makes duplicates; of a master too, when a type of blob is asked for and no usage.
 */
#include "keymgmt/generate.h"

#include <openssl/crypto.h>
#include "key/derived_key.h"
#include "key/key_trace.h"
#include "keymgmt/request.h"
#include "schannel/names.h"

struct generation {
    struct provctx *provctx;
    struct request request;
    struct key *template;      /* handed over for the generation that follows; a reference */
    struct key *template_copy; /* ours, since the first generation; NULL: none so far */
    struct key_block block;    /* of the master in |template_copy| */
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
    key_free(generation->template);
    key_free(generation->template_copy);
    OPENSSL_clear_free(generation, sizeof(*generation));
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

/* libcrypto hands the key over before each generation; the first one copies it. */
int generate_set_template(void *vgeneration, void *keydata)
{
    struct generation *generation = vgeneration;

    if (generation->template_copy != NULL)
        return 1;
    key_up_ref(keydata);
    key_free(generation->template);
    generation->template = keydata;
    return 1;
}

/* ---- a session key from the copy of a master ---- */

/* What a derivation takes from its master cannot be given as well. */
static int check_no_key_bytes(const struct provctx *provctx, const struct request *request)
{
    const char *name = password_given(&request->password);

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
    else if (request->salt_size != 0)
        name = SCHANNEL_PARAM_SALT;
    else if (request->opaque_blob != NULL)
        name = SCHANNEL_PARAM_OPAQUE_BLOB;
    else if (request->highest_version != 0)
        name = SCHANNEL_PARAM_HIGHEST_VERSION;
    else if (request->effective_bits != 0)
        name = SCHANNEL_PARAM_EFFECTIVE_BITS;
    return name == NULL || RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                                 "%s: excluded by the key that is derived or copied from", name);
}

static int check_usage(const struct generation *generation)
{
    return generation->request.usage != KEY_USAGE_NONE ||
           RAISE(generation->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                 "usage: is not set: client-write-key, server-write-key, client-write-mac or "
                 "server-write-mac of this master?  To write the master itself, set blob alone");
}

/* A session key of the converted |master|, of whose key blocks |kept| keeps the last one. */
static struct key *derive(const struct generation *generation, const struct master_value *master,
                          struct key_block *kept)
{
    const struct request *request = &generation->request;
    struct key *key;

    if (!check_usage(generation))
        return NULL;
    key = derived_key_new(generation->provctx, master, request->usage, &request->derivation, kept);
    if (key == NULL)
        return NULL;
    key->exportable = request->exportable;
    if (request_apply_to(key, request))
        return key;
    key_free(key);
    return NULL;
}

/* Would this derivation succeed? */
static int try_derivation(const struct generation *generation, const struct master_value *master)
{
    struct master_value trial;
    struct key *key;

    derived_key_trial_master(&trial, master);
    key = derive(generation, &trial, NULL);
    key_free(key);
    return key != NULL;
}

/* What only a master could be asked for. */
static int check_duplication(const struct generation *generation, const struct key *key)
{
    const char *name = derivation_given(&generation->request.derivation, 0);

    if (generation->request.usage != KEY_USAGE_NONE)
        name = SCHANNEL_PARAM_USAGE;
    return name == NULL || RAISE(generation->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                                 "%s: keys are derived from masters, and this key is one of %s",
                                 name, key->algorithm->name);
}

static struct key *duplicate(const struct generation *generation, struct key *template_copy)
{
    struct key *key;

    if (!check_duplication(generation, template_copy))
        return NULL;
    key = key_duplicate(template_copy);
    if (key != NULL && !request_apply_to(key, &generation->request)) {
        key_free(key);
        key = NULL;
    }
    return key;
}

static struct key *make(struct generation *generation)
{
    struct key *key;

    key = key_new(generation->provctx);
    if (key != NULL && !request_make_key(key, &generation->request, 1)) {
        key_free(key);
        key = NULL;
    }
    return key;
}

/* A session key, or a master that is to be written into a blob of its own. */
static int is_duplication(const struct generation *generation, const struct key *key)
{
    const struct request *request = &generation->request;

    return key->algorithm->kind != KEY_KIND_MASTER ||
           (request->usage == KEY_USAGE_NONE && request->options.type != BLOB_TYPE_DEFAULT &&
            derivation_given(&request->derivation, 0) == NULL);
}

/* With the template locked for a look. */
static int check_template(const struct generation *generation, const struct key *key)
{
    const struct master_value *master = key->value.master;

    if (is_duplication(generation, key))
        return check_duplication(generation, key);
    return (master->converted && key->transfer == NULL) || try_derivation(generation, master);
}

/* The copy of the template, a master or a session key.  NULL with a reason. */
static struct key *copy_template(const struct generation *generation)
{
    struct key *key = generation->template;
    const struct derivation *change = NULL;
    int ok;

    if (!key_lock(key))
        return NULL;
    ok = check_template(generation, key);
    if (!is_duplication(generation, key))
        change = &generation->request.derivation;
    key_trace(key, "%s by a generation context", ok ? "copied" : "not copied");
    key_unlock(key);
    return ok && derived_key_convert(key, change) ? key_duplicate(key) : NULL;
}

static struct key *generate_from(struct generation *generation, struct key *template_copy)
{
    const int is_copy = is_duplication(generation, template_copy);
    struct key *key = is_copy ? duplicate(generation, template_copy)
                              : derive(generation, template_copy->value.master, &generation->block);

    if (key != NULL)
        key_trace(key, is_copy ? "made as a duplicate" : "derived from a master key");
    return key;
}

/*
 * A first generation that fails leaves the context without a copy, and the next one is the first.  So
 * does a duplicate of a master, whose premaster secret nothing has converted.
 */
static struct key *generate_first(struct generation *generation)
{
    struct key *copy = copy_template(generation);
    struct key *key = copy != NULL ? generate_from(generation, copy) : NULL;

    if (key != NULL && key->algorithm->kind != KEY_KIND_MASTER) {
        generation->template_copy = copy;
    } else {
        key_free(copy);
        OPENSSL_cleanse(&generation->block, sizeof(generation->block));
    }
    key_free(generation->template);
    generation->template = NULL;
    return key;
}

void *generate(void *vgeneration, OSSL_CALLBACK *callback, void *arg)
{
    struct generation *generation = vgeneration;

    (void)callback;
    (void)arg;
    if (generation->template == NULL && generation->template_copy == NULL)
        return make(generation);
    if (!check_no_key_bytes(generation->provctx, &generation->request) ||
        !request_check_digest(generation->provctx, &generation->request))
        return NULL;
    return generation->template_copy != NULL ? generate_from(generation, generation->template_copy)
                                             : generate_first(generation);
}
