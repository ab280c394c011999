/* Operations on MAC contexts, and signatures under MAC keys: see stateful.h. */
#include "stateful.h"

#include <string.h>
#include <openssl/params.h>
#include "schannel/names.h"

static EVP_MAC *macs[MODEL_MACS];

void macs_setup(void)
{
    for (size_t n = 0; n < MODEL_MACS; n++) {
        macs[n] = EVP_MAC_fetch(fuzz.libctx, model_algorithms[MODEL_CIPHERS + n].name, NULL);
        fuzz_expect(macs[n] != NULL, "the provider's MACs");
    }
}

static struct mac_slot *pick_mac(struct machine *machine)
{
    return &machine->mac[fuzz_u8(&machine->input) % (SLOTS / 2)];
}

void drop_mac(struct mac_slot *slot)
{
    EVP_MAC_CTX_free(slot->context);
    if (slot->bound != NULL)
        slot->bound->references--;
    memset(slot, 0, sizeof(*slot));
}

void free_mac(struct machine *machine)
{
    drop_mac(pick_mac(machine));
}

static void new_context(struct mac_slot *slot, const struct model_algorithm *algorithm)
{
    OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key),
                            OSSL_PARAM_construct_end() };

    drop_mac(slot);
    slot->algorithm = algorithm;
    slot->context = EVP_MAC_CTX_new(macs[algorithm - model_algorithms - MODEL_CIPHERS]);
    fuzz_expect(slot->context != NULL && EVP_MAC_CTX_set_params(slot->context, params),
                "a MAC context");
}

static struct model_key *state_of(struct mac_slot *slot)
{
    if (slot->bound != NULL)
        return slot->bound->is_retired ? NULL : slot->bound;
    return slot->has_own ? &slot->own : NULL;
}

/* ---- initialisation ---- */

/* Binding goes on with what the key has absorbed. */
static void bind_to(struct machine *machine, struct mac_slot *slot, struct model_key *key)
{
    OSSL_PARAM params[] = {
        fuzz_octets_param(SCHANNEL_PARAM_KEY_HANDLE, key->handle, MODEL_HANDLE_SIZE),
        OSSL_PARAM_construct_end(),
    };
    const int expected = key->references != 0 && key->has_handle && !key->is_retired &&
                         key->algorithm->kind == MODEL_MAC &&
                         key->algorithm->protocol == slot->algorithm->protocol;

    if (!outcome(machine, EVP_MAC_init(slot->context, NULL, 0, params), expected))
        return;
    key->references++;
    if (slot->bound != NULL)
        slot->bound->references--;
    slot->bound = key;
    slot->has_own = 0;
}

void bind_mac(struct machine *machine)
{
    struct mac_slot *slot = pick_mac(machine);
    struct key_slot *key = pick_key(machine);
    const unsigned which = fuzz_u8(&machine->input);

    if ((which & 1) != 0 && slot->context != NULL && machine->made_count != 0) {
        bind_to(machine, slot, machine->made[(which >> 1) % machine->made_count]);
        return;
    }
    if (key->pkey == NULL || key->model->algorithm->kind != MODEL_MAC)
        return;
    new_context(slot, key->model->algorithm);
    bind_to(machine, slot, key->model);
}

/* With key bytes of its own. */
void start_mac(struct machine *machine)
{
    struct mac_slot *slot = pick_mac(machine);
    const struct model_algorithm *algorithm =
        &model_algorithms[MODEL_CIPHERS + fuzz_u8(&machine->input) % MODEL_MACS];
    OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_DIGEST, algorithm->digest),
                            OSSL_PARAM_construct_end() };
    uint8_t secret[MODEL_MAX_SECRET];

    pattern(machine, secret, sizeof(secret));
    if (slot->context == NULL || slot->algorithm->protocol != algorithm->protocol)
        new_context(slot, algorithm);
    if (!outcome(machine, EVP_MAC_init(slot->context, secret, algorithm->key_size, params), 1))
        return;
    if (slot->bound != NULL)
        slot->bound->references--;
    slot->bound = NULL;
    memset(&slot->own, 0, sizeof(slot->own));
    slot->own.algorithm = algorithm;
    slot->own.secret_size = algorithm->key_size;
    memcpy(slot->own.secret, secret, algorithm->key_size);
    slot->has_own = 1;
}

/* Drops what was absorbed. */
void restart_mac(struct machine *machine)
{
    struct mac_slot *slot = pick_mac(machine);
    struct model_key *state;

    if (slot->context == NULL)
        return;
    state = state_of(slot);
    if (!outcome(machine, EVP_MAC_init(slot->context, NULL, 0, NULL), state != NULL))
        return;
    state->is_absorbing = state->is_record = 0;
    state->absorbed = state->message_size = state->record_length = 0;
}

/* ---- parameters ---- */

/* Each of the four parameters is there or not. */
void set_record(struct machine *machine)
{
    struct mac_slot *slot = pick_mac(machine);
    const unsigned flags = fuzz_u8(&machine->input);
    unsigned type = fuzz_u8(&machine->input), version = 0x0300u + (flags >> 6);
    unsigned length = fuzz_u8(&machine->input) % (MAX_DATA + 1), mode = flags >> 4 & 1;
    struct model_record record = slot->record;
    OSSL_PARAM params[5];
    size_t n = 0;
    int has_header, expected = 1;

    if (slot->context == NULL)
        return;
    has_header = slot->algorithm->protocol >= MODEL_SSL3;
    if ((flags & 1) != 0) {
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type);
        record.has_type = record.is_enabled = 1;
        record.type = type;
        expected &= has_header;
    }
    if ((flags & 2) != 0) {
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_VERSION, &version);
        record.has_version = 1;
        record.version = version;
        expected &= slot->algorithm->protocol == MODEL_TLS1;
    }
    if ((flags & 4) != 0) {
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_LENGTH, &length);
        record.has_length = 1;
        record.length = length;
        expected &= has_header;
    }
    if ((flags & 8) != 0) {
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_MODE, &mode);
        record.is_enabled = (int)mode;
    }
    params[n] = OSSL_PARAM_construct_end();
    if (outcome(machine, EVP_MAC_CTX_set_params(slot->context, params), expected))
        slot->record = record;
}

void set_sequence(struct machine *machine)
{
    struct mac_slot *slot = pick_mac(machine);
    const unsigned choice = fuzz_u8(&machine->input);
    uint64_t sequence = ((choice & 1) != 0 ? UINT32_MAX - 1 : 0) + (choice >> 1) % 4;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, &sequence),
                            OSSL_PARAM_construct_end() };
    struct model_key *state;

    /* before there is a key it is kept for the first one, which the model does not know */
    if (slot->context == NULL || (slot->bound == NULL && !slot->has_own))
        return;
    state = state_of(slot);
    if (outcome(machine, EVP_MAC_CTX_set_params(slot->context, params),
                state != NULL && !state->is_absorbing && sequence <= model_largest_sequence(state)))
        state->sequence = sequence;
}

/* ---- data ---- */

void update_mac(struct machine *machine)
{
    struct mac_slot *slot = pick_mac(machine);
    const size_t size = fuzz_u8(&machine->input) % (MAX_DATA + 1);
    uint8_t in[MAX_DATA];
    struct model_key *state;
    int expected;

    pattern(machine, in, size);
    if (slot->context == NULL || size == 0)
        return;
    state = state_of(slot);
    if (state != NULL && state->message_size + size + 16 > MODEL_MAX_MESSAGE)
        return;
    expected = state != NULL && model_absorb(state, &slot->record, in, size);
    (void)outcome(machine, EVP_MAC_update(slot->context, in, size), expected);
}

void finish_mac(struct machine *machine)
{
    struct mac_slot *slot = pick_mac(machine);
    uint8_t out[MODEL_MAX_MAC], want[MODEL_MAX_MAC];
    struct model_key *state;
    size_t written = 0;
    int expected;

    if (slot->context == NULL)
        return;
    state = state_of(slot);
    expected = state != NULL && model_finish(state, &slot->record, want);
    if (outcome(machine, EVP_MAC_final(slot->context, out, &written, sizeof(out)), expected))
        fuzz_expect_same(out, written, want, model_mac_size(state), "the model's MAC");
}

void duplicate_mac(struct machine *machine)
{
    struct mac_slot *from = pick_mac(machine), *slot = pick_mac(machine);
    struct model_key *bound = from->bound;
    EVP_MAC_CTX *copy;

    if (from->context == NULL || from == slot)
        return;
    copy = EVP_MAC_CTX_dup(from->context);
    if (!outcome(machine, copy != NULL, bound == NULL || !bound->is_retired))
        return;
    drop_mac(slot);
    *slot = *from;
    slot->context = copy;
    if (bound != NULL)
        slot->bound = new_model(machine, bound);
}

/* Suspended here and resumed there. */
void move_mac(struct machine *machine)
{
    struct mac_slot *from = pick_mac(machine), *slot = pick_mac(machine);
    uint8_t blob[MAX_BLOB];
    OSSL_PARAM get[] = { OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, blob,
                                                           sizeof(blob)),
                         OSSL_PARAM_construct_end() };
    OSSL_PARAM set[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    static struct model_key state;

    if (from->context == NULL || from == slot)
        return;
    if (!outcome(machine, EVP_MAC_CTX_get_params(from->context, get), state_of(from) != NULL))
        return;
    state = *state_of(from);
    set[0] = fuzz_octets_param(SCHANNEL_PARAM_OPAQUE_BLOB, blob, get[0].return_size);
    new_context(slot, state.algorithm);
    if (!outcome(machine, EVP_MAC_init(slot->context, NULL, 0, set), 1))
        return;
    slot->own = state;
    slot->has_own = 1;
}

/* ---- signatures ---- */

static int run_signature(EVP_PKEY *pkey, const OSSL_PARAM *record, const uint8_t *in, size_t size,
                         uint8_t *out, size_t *written)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = EVP_DigestSignInit_ex(context, NULL, NULL, fuzz.libctx, NULL, pkey, record) > 0 &&
             EVP_DigestSignUpdate(context, in, size) > 0 &&
             EVP_DigestSignFinal(context, out, written) > 0;

    EVP_MD_CTX_free(context);
    return ok;
}

/* Raw, or a record of the key's next number. */
void sign_message(struct machine *machine)
{
    struct key_slot *slot = pick_key(machine);
    const size_t size = 1 + fuzz_u8(&machine->input) % MAX_DATA;
    struct model_record record = { .is_enabled = fuzz_u8(&machine->input) & 1 };
    unsigned type = 23, version = 0x0301, mode = 1;
    OSSL_PARAM params[4] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end(),
                             OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    uint8_t in[MAX_DATA], out[MODEL_MAX_MAC], want[MODEL_MAX_MAC];
    size_t written = sizeof(out), n = 0;
    int expected;

    pattern(machine, in, size);
    if (slot->pkey == NULL)
        return;
    if (record.is_enabled) {
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_MODE, &mode);
        if (slot->model->algorithm->protocol >= MODEL_SSL3) {
            record.has_type = 1;
            record.type = type;
            params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type);
        }
        if (slot->model->algorithm->protocol == MODEL_TLS1) {
            record.has_version = 1;
            record.version = version;
            params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_VERSION, &version);
        }
    }
    expected = !slot->model->is_retired && slot->model->algorithm->kind == MODEL_MAC &&
               model_sign(slot->model, &record, in, size, want);
    if (outcome(machine, run_signature(slot->pkey, params, in, size, out, &written), expected))
        fuzz_expect_same(out, written, want, model_mac_size(slot->model), "the model's signature");
}
