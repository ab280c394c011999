/* Parameters, blobs and bytes of key objects: see stateful.h. */
#include "stateful.h"

#include <string.h>
#include <openssl/params.h>
#include "schannel/names.h"

/* ---- parameters ---- */

static int can_set_iv(const struct model_key *model)
{
    return model->algorithm->kind == MODEL_CIPHER && model->algorithm->block != 1;
}

static int can_set_sequence(const struct model_key *model, uint64_t sequence)
{
    return model->algorithm->kind == MODEL_MAC && !model->is_absorbing &&
           sequence <= model_largest_sequence(model);
}

/* Numbers near the ends are the interesting ones. */
static uint64_t take_sequence(struct machine *machine)
{
    static const uint64_t bases[] = { 0, UINT32_MAX - 1, UINT64_MAX - 2, UINT64_C(0x1fffffffe) };
    const unsigned choice = fuzz_u8(&machine->input);

    return bases[choice % 4] + (choice >> 2) % 4;
}

void set_key(struct machine *machine)
{
    struct key_slot *slot = pick_key(machine);
    const unsigned choice = fuzz_u8(&machine->input) % 3;
    uint64_t sequence = take_sequence(machine);
    int exportable = fuzz_u8(&machine->input) & 1, expected = 0;
    uint8_t iv[MODEL_MAX_BLOCK];
    OSSL_PARAM params[2] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    struct model_key *model = slot->model;

    pattern(machine, iv, sizeof(iv));
    if (slot->pkey == NULL)
        return;
    if (choice == 0) {
        params[0] = fuzz_octets_param(SCHANNEL_PARAM_IV, iv,
                                      can_set_iv(model) && exportable ? model->algorithm->block
                                                                      : MODEL_MAX_BLOCK / 2);
        expected = can_set_iv(model) && params[0].data_size == model->algorithm->block;
    } else if (choice == 1) {
        params[0] = OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, &sequence);
        expected = can_set_sequence(model, sequence);
    } else {
        params[0] = OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &exportable);
        expected = !exportable || model->is_exportable;
    }
    if (!outcome(machine, EVP_PKEY_set_params(slot->pkey, params), expected && !model->is_retired))
        return;
    if (choice == 0)
        model_set_iv(model, iv);
    else if (choice == 1)
        model->sequence = sequence;
    else
        model->is_exportable = exportable;
}

/* ---- blobs ---- */

static struct blob_slot *pick_blob(struct machine *machine)
{
    return &machine->blob[fuzz_u8(&machine->input) % (SLOTS / 2)];
}

void export_blob(struct machine *machine)
{
    struct key_slot *from = pick_key(machine);
    struct blob_slot *slot = pick_blob(machine);
    uint8_t blob[MAX_BLOB];
    size_t size = 0;

    if (from->pkey == NULL)
        return;
    if (!outcome(machine,
                 EVP_PKEY_get_octet_string_param(from->pkey, SCHANNEL_PARAM_OPAQUE_BLOB, blob,
                                                 sizeof(blob), &size),
                 !from->model->is_retired))
        return;
    memcpy(slot->data, blob, size);
    slot->size = size;
    slot->model = *from->model;
}

static EVP_PKEY *open_blob(const uint8_t *blob, size_t size)
{
    OSSL_PARAM params[] = {
        fuzz_octets_param(SCHANNEL_PARAM_OPAQUE_BLOB, blob, size),
        fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(fuzz.libctx, SCHANNEL_KEY_TYPE, NULL);
    EVP_PKEY *pkey = NULL;

    fuzz_expect(context != NULL && EVP_PKEY_fromdata_init(context) > 0, "a context");
    if (EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    return pkey;
}

void import_blob(struct machine *machine)
{
    const struct blob_slot *from = pick_blob(machine);
    struct key_slot *slot = pick_key(machine);
    EVP_PKEY *pkey;

    if (from->size == 0)
        return;
    pkey = open_blob(from->data, from->size);
    /* A context can have keys that key objects cannot: here all have sizes of key objects. */
    if (outcome(machine, pkey != NULL, 1))
        put_key(slot, pkey, new_model(machine, &from->model));
}

/* One bit of the blob is wrong, or its end is missing. */
void import_damaged(struct machine *machine)
{
    const struct blob_slot *from = pick_blob(machine);
    const size_t at = fuzz_u8(&machine->input) | (size_t)fuzz_u8(&machine->input) << 8;
    const unsigned bit = fuzz_u8(&machine->input) % 9;
    uint8_t blob[MAX_BLOB];
    size_t size = from->size;
    EVP_PKEY *pkey;

    if (size == 0)
        return;
    memcpy(blob, from->data, size);
    if (bit == 8)
        size = at % size;
    else
        blob[at % size] ^= (uint8_t)(1u << bit);
    if (size == 0)
        return;
    pkey = open_blob(blob, size);
    (void)outcome(machine, pkey != NULL, 0);
}

/* ---- key bytes in the clear ---- */

void export_bytes(struct machine *machine)
{
    const struct key_slot *from = pick_key(machine);
    const struct model_key *model = from->model;
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;
    int expected;

    if (from->pkey == NULL)
        return;
    expected = !model->is_retired && model->is_exportable && !model_is_running(model);
    if (!outcome(machine, EVP_PKEY_todata(from->pkey, EVP_PKEY_KEYPAIR, &params), expected))
        return;
    secret = OSSL_PARAM_locate_const(params,
                                     model->algorithm->kind == MODEL_MASTER && !model->is_converted
                                         ? SCHANNEL_PARAM_PREMASTER
                                         : SCHANNEL_PARAM_SECRET);
    fuzz_expect(secret != NULL, "a secret");
    fuzz_expect_same(secret->data, secret->data_size, model->secret, model->secret_size,
                     "the secret of the model");
    OSSL_PARAM_free(params);
}
