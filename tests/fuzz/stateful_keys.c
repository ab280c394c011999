/* Operations on key objects: see stateful.h. */
#include "stateful.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/params.h>
#include "schannel/names.h"

/* Kept for the process: one import, which takes any number of keys. */
static EVP_PKEY_CTX *import_context;

void keys_setup(void)
{
    import_context = EVP_PKEY_CTX_new_from_name(fuzz.libctx, SCHANNEL_KEY_TYPE, NULL);
    fuzz_expect(import_context != NULL && EVP_PKEY_fromdata_init(import_context) > 0, "a context");
}

struct key_slot *pick_key(struct machine *machine)
{
    return &machine->key[fuzz_u8(&machine->input) % SLOTS];
}

/* ---- models of key objects ---- */

struct model_key *new_model(struct machine *machine, const struct model_key *model)
{
    struct model_key *copy = malloc(sizeof(*copy));

    fuzz_expect(copy != NULL && machine->made_count < MAX_KEYS, "room for a model");
    *copy = *model;
    copy->references = 1;
    copy->has_handle = 0;
    memset(copy->handle, 0, sizeof(copy->handle));
    machine->made[machine->made_count++] = copy;
    return copy;
}

void drop_key(struct key_slot *slot)
{
    if (slot->pkey == NULL)
        return;
    EVP_PKEY_free(slot->pkey);
    slot->model->references--;
    slot->pkey = NULL;
    slot->model = NULL;
}

/* The handle is asked for at once, so that it is known even of keys that are gone. */
void put_key(struct key_slot *slot, EVP_PKEY *pkey, struct model_key *model)
{
    size_t size = 0;

    drop_key(slot);
    slot->pkey = pkey;
    slot->model = model;
    if (model->has_handle)
        return;
    fuzz_expect(EVP_PKEY_get_octet_string_param(pkey, SCHANNEL_PARAM_KEY_HANDLE, model->handle,
                                                MODEL_HANDLE_SIZE, &size),
                "a handle");
    model->has_handle = 1;
}

static void check_key(const struct key_slot *slot)
{
    const struct model_key *model = slot->model;
    const struct model_algorithm *algorithm = model->algorithm;
    unsigned exportable = 2;
    uint64_t sequence = 0;
    uint8_t iv[MODEL_MAX_BLOCK];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_EXPORTABLE, &exportable),
        OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end(),
    };

    if (algorithm->kind == MODEL_CIPHER && algorithm->block != 1)
        params[1] = OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_IV, iv, sizeof(iv));
    if (algorithm->kind == MODEL_MAC)
        params[1] = OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, &sequence);
    fuzz_expect(EVP_PKEY_get_params(slot->pkey, params) == !model->is_retired,
                "an answer of a live key");
    (void)fuzz_outcome(!model->is_retired);
    if (model->is_retired)
        return;
    fuzz_expect(exportable == (unsigned)model->is_exportable, "exportable as the model");
    fuzz_expect(sequence == (algorithm->kind == MODEL_MAC ? model->sequence : 0),
                "a sequence as the model's");
    if (algorithm->kind == MODEL_CIPHER && algorithm->block != 1)
        fuzz_expect_same(iv, params[1].return_size, model->chain, algorithm->block,
                         "a chaining value as the model's");
}

void check_keys(const struct machine *machine)
{
    for (size_t n = 0; n < SLOTS; n++) {
        if (machine->key[n].pkey != NULL)
            check_key(&machine->key[n]);
    }
}

/* ---- making ---- */

/* The parameters of a key of |model|; |numbers| is room for what they point to. */
static size_t describe(const struct model_key *model, int *exportable, OSSL_PARAM *params)
{
    const struct model_algorithm *algorithm = model->algorithm;
    size_t n = 0;

    *exportable = model->is_exportable;
    params[n++] = fuzz_text_param(SCHANNEL_PARAM_ALG, algorithm->name);
    params[n++] = fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key);
    params[n++] = OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, exportable);
    if (algorithm->kind == MODEL_MAC)
        params[n++] = fuzz_text_param(SCHANNEL_PARAM_DIGEST, algorithm->digest);
    if (algorithm->kind == MODEL_MASTER) {
        params[n++] = fuzz_octets_param(SCHANNEL_PARAM_CLIENT_RANDOM, model->client_random,
                                        MODEL_RANDOM_SIZE);
        params[n++] = fuzz_octets_param(SCHANNEL_PARAM_SERVER_RANDOM, model->server_random,
                                        MODEL_RANDOM_SIZE);
    }
    return n;
}

/* Algorithm, flags and bytes out of the input. */
static void take_key(struct machine *machine, struct model_key *model)
{
    unsigned flags;

    memset(model, 0, sizeof(*model));
    model->algorithm = &model_algorithms[fuzz_u8(&machine->input) % MODEL_ALGORITHMS];
    flags = fuzz_u8(&machine->input);
    model->is_exportable = flags & 1;
    model->is_converted = model->algorithm->kind == MODEL_MASTER && (flags & 2) != 0;
    model->secret_size = model->algorithm->key_size;
    pattern(machine, model->secret, model->secret_size + model->algorithm->salt_size);
    pattern(machine, model->client_random, MODEL_RANDOM_SIZE);
    pattern(machine, model->server_random, MODEL_RANDOM_SIZE);
}

void import_key(struct machine *machine)
{
    static struct model_key model;
    struct key_slot *slot = pick_key(machine);
    const unsigned mistake = fuzz_u8(&machine->input) % 8;
    const char *name = SCHANNEL_PARAM_SECRET;
    OSSL_PARAM params[16];
    EVP_PKEY *pkey = NULL;
    int exportable;
    size_t n;

    take_key(machine, &model);
    n = describe(&model, &exportable, params);
    if (model.algorithm->kind == MODEL_MASTER && !model.is_converted)
        name = SCHANNEL_PARAM_PREMASTER;
    /* a mistake: a size that no such key has */
    params[n++] = fuzz_octets_param(name, model.secret,
                                    mistake == 1 ? MODEL_MAX_SECRET + 1 : model.secret_size);
    if (mistake == 1 && strcmp(name, SCHANNEL_PARAM_PREMASTER) == 0)
        params[n++] = fuzz_octets_param(SCHANNEL_PARAM_SECRET, model.secret, model.secret_size);
    if (model.algorithm->salt_size != 0)
        params[n++] = fuzz_octets_param(SCHANNEL_PARAM_SALT, model.secret + model.secret_size,
                                        MODEL_SALT_SIZE);
    params[n] = OSSL_PARAM_construct_end();
    if (outcome(machine, EVP_PKEY_fromdata(import_context, &pkey, EVP_PKEY_KEYPAIR, params) > 0,
                mistake != 1))
        put_key(slot, pkey, new_model(machine, &model));
}

/* The random bytes are read out of an exportable key, which may stop to be one then. */
static void learn_bytes(EVP_PKEY *pkey, struct model_key *model, int exportable)
{
    OSSL_PARAM set[] = { OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &exportable),
                         OSSL_PARAM_construct_end() };
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;

    fuzz_expect(EVP_PKEY_todata(pkey, EVP_PKEY_KEYPAIR, &params), "the bytes of a new key");
    secret = OSSL_PARAM_locate_const(params, model->algorithm->kind == MODEL_MASTER
                                                 ? SCHANNEL_PARAM_PREMASTER
                                                 : SCHANNEL_PARAM_SECRET);
    fuzz_expect(secret != NULL && secret->data_size == model->secret_size, "a key of its size");
    memcpy(model->secret, secret->data, secret->data_size);
    OSSL_PARAM_free(params);
    fuzz_expect(EVP_PKEY_set_params(pkey, set), "exportable cleared");
    model->is_exportable = exportable;
}

void generate_key(struct machine *machine)
{
    static struct model_key model;
    struct key_slot *slot = pick_key(machine);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(fuzz.libctx, SCHANNEL_KEY_TYPE, NULL);
    OSSL_PARAM params[16];
    EVP_PKEY *pkey = NULL;
    unsigned bits;
    int exportable, wanted;
    size_t n;

    take_key(machine, &model);
    wanted = model.is_exportable;
    model.is_exportable = 1;
    model.is_converted = 0;
    n = describe(&model, &exportable, params);
    bits = 8 * (unsigned)model.secret_size;
    params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_BITS, &bits);
    /* without a salt given one of 40 bits has zeros */
    if (model.algorithm->salt_size != 0)
        memset(model.secret + model.secret_size, 0, MODEL_SALT_SIZE);
    else if (model.secret_size == 5)
        params[n++] = fuzz_text_param(SCHANNEL_PARAM_SALT_MODE, SCHANNEL_SALT_MODE_NONE);
    params[n] = OSSL_PARAM_construct_end();
    if (outcome(machine,
                EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_params(context, params) &&
                    EVP_PKEY_generate(context, &pkey) > 0,
                1)) {
        learn_bytes(pkey, &model, wanted);
        put_key(slot, pkey, new_model(machine, &model));
    }
    EVP_PKEY_CTX_free(context);
}

/* Of a master a session key; a session key has none to give. */
void derive_key(struct machine *machine)
{
    static const char *const usages[] = { SCHANNEL_USAGE_CLIENT_WRITE_KEY,
                                          SCHANNEL_USAGE_SERVER_WRITE_KEY,
                                          SCHANNEL_USAGE_CLIENT_WRITE_MAC,
                                          SCHANNEL_USAGE_SERVER_WRITE_MAC };
    static const unsigned rows[] = { 0, 3, 4, 6, 7, 9 }; /* without those of 40 bits */
    static struct model_key model;
    struct key_slot *from = pick_key(machine), *slot = pick_key(machine);
    const unsigned usage = fuzz_u8(&machine->input) % 4;
    const struct model_algorithm *cipher = &model_algorithms[rows[fuzz_u8(&machine->input) % 6]];
    const char *digest = fuzz_u8(&machine->input) & 1 ? "SHA1" : "MD5";
    int exportable = fuzz_u8(&machine->input) & 1, expected;
    OSSL_PARAM params[] = {
        fuzz_text_param(SCHANNEL_PARAM_USAGE, usages[usage]),
        fuzz_text_param(SCHANNEL_PARAM_CIPHER, cipher->name),
        fuzz_text_param(SCHANNEL_PARAM_DIGEST, digest),
        fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &exportable),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context;
    EVP_PKEY *pkey = NULL;

    if (from->pkey == NULL)
        return;
    expected = !from->model->is_retired && from->model->algorithm->kind == MODEL_MASTER;
    context = EVP_PKEY_CTX_new_from_pkey(fuzz.libctx, from->pkey, NULL);
    if (outcome(machine,
                EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_params(context, params) &&
                    EVP_PKEY_generate(context, &pkey) > 0,
                expected)) {
        memset(&model, 0, sizeof(model));
        model.is_exportable = exportable;
        model_convert(from->model);
        model_derive(from->model, cipher, digest, usage >= 2, usage & 1, &model);
        put_key(slot, pkey, new_model(machine, &model));
    }
    EVP_PKEY_CTX_free(context);
}

/* ---- copies, ends ---- */

void duplicate_key(struct machine *machine)
{
    struct key_slot *from = pick_key(machine), *slot = pick_key(machine);
    EVP_PKEY *pkey;

    if (from->pkey == NULL)
        return;
    pkey = EVP_PKEY_dup(from->pkey);
    if (outcome(machine, pkey != NULL, !from->model->is_retired))
        put_key(slot, pkey, new_model(machine, from->model));
}

/* The same key object in two slots. */
void share_key(struct machine *machine)
{
    struct key_slot *from = pick_key(machine), *slot = pick_key(machine);

    if (from->pkey == NULL || from == slot)
        return;
    fuzz_expect(EVP_PKEY_up_ref(from->pkey), "a reference");
    from->model->references++;
    put_key(slot, from->pkey, from->model);
}

void free_key(struct machine *machine)
{
    drop_key(pick_key(machine));
}

void retire_key(struct machine *machine)
{
    struct key_slot *slot = pick_key(machine);
    int yes = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int(SCHANNEL_PARAM_RETIRE, &yes),
                            OSSL_PARAM_construct_end() };

    if (slot->pkey == NULL)
        return;
    if (outcome(machine, EVP_PKEY_set_params(slot->pkey, params), !slot->model->is_retired))
        slot->model->is_retired = 1;
}

void compare_keys(struct machine *machine)
{
    const struct key_slot *a = pick_key(machine), *b = pick_key(machine);
    int expected;

    if (a->pkey == NULL || b->pkey == NULL)
        return;
    expected = a->model == b->model ||
               (!a->model->is_retired && !b->model->is_retired &&
                a->model->is_converted == b->model->is_converted &&
                a->model->algorithm == b->model->algorithm &&
                a->model->secret_size == b->model->secret_size &&
                memcmp(a->model->secret, b->model->secret,
                       a->model->secret_size + a->model->algorithm->salt_size) == 0);
    fuzz_expect((EVP_PKEY_eq(a->pkey, b->pkey) == 1) == expected, "equal as the models");
    (void)fuzz_reasons();
}
