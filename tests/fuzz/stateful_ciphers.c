/* Operations on cipher contexts, and messages under cipher keys: see stateful.h. */
#include "stateful.h"

#include <string.h>
#include <openssl/params.h>
#include "schannel/names.h"

static EVP_CIPHER *ciphers[MODEL_CIPHERS];

void ciphers_setup(void)
{
    char name[32] = "SCHANNEL-";

    for (size_t n = 0; n < MODEL_CIPHERS; n++) {
        strcpy(name + 9, model_algorithms[n].name);
        ciphers[n] = EVP_CIPHER_fetch(fuzz.libctx, name, NULL);
        fuzz_expect(ciphers[n] != NULL, "the provider's ciphers");
    }
}

static struct cipher_slot *pick_cipher(struct machine *machine)
{
    return &machine->cipher[fuzz_u8(&machine->input) % (SLOTS / 2)];
}

void drop_cipher(struct cipher_slot *slot)
{
    EVP_CIPHER_CTX_free(slot->context);
    if (slot->bound != NULL)
        slot->bound->references--;
    memset(slot, 0, sizeof(*slot));
}

void free_cipher(struct machine *machine)
{
    drop_cipher(pick_cipher(machine));
}

/* A context of |algorithm| that has nothing yet. */
static void new_context(struct cipher_slot *slot, const struct model_algorithm *algorithm)
{
    OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key),
                            OSSL_PARAM_construct_end() };

    drop_cipher(slot);
    slot->algorithm = slot->own.algorithm = algorithm;
    slot->context = EVP_CIPHER_CTX_new();
    fuzz_expect(slot->context != NULL &&
                    EVP_CipherInit_ex2(slot->context, ciphers[algorithm - model_algorithms], NULL,
                                       NULL, 1, params) &&
                    fuzz_reasons() == 0,
                "a cipher context");
    slot->encrypt = 1;
}

/* What the calls of |slot| work on; NULL: they fail. */
static struct model_key *state_of(struct cipher_slot *slot)
{
    if (slot->bound != NULL)
        return slot->bound->is_retired ? NULL : slot->bound;
    return slot->has_own ? &slot->own : NULL;
}

static int pads(const struct cipher_slot *slot)
{
    return slot->padding == PADDING_DEFAULT ? slot->bound == NULL : slot->padding == PADDING_ON;
}

/* ---- initialisation ---- */

/* A key goes on in |encrypt|'s direction unless a block of the other one is incomplete. */
static int can_continue(const struct model_key *key, int encrypt, int has_iv)
{
    return !key->is_retired && (has_iv || key->buffered == 0 ||
                                key->direction == (encrypt ? MODEL_ENCRYPT : MODEL_DECRYPT));
}

static void bind(struct cipher_slot *slot, struct model_key *key)
{
    key->references++;
    if (slot->bound != NULL)
        slot->bound->references--;
    slot->bound = key;
    slot->has_own = 0;
    memset(&slot->own, 0, sizeof(slot->own));
    slot->own.algorithm = slot->algorithm;
}

/* To any key that there is or was: one that is gone, retired or of another kind is refused. */
static void bind_to(struct machine *machine, struct cipher_slot *slot, struct model_key *key)
{
    const unsigned flags = fuzz_u8(&machine->input);
    const int encrypt = flags & 1, has_iv = flags >> 1 & 1;
    OSSL_PARAM params[] = {
        fuzz_octets_param(SCHANNEL_PARAM_KEY_HANDLE, key->handle, MODEL_HANDLE_SIZE),
        OSSL_PARAM_construct_end(),
    };
    uint8_t iv[MODEL_MAX_BLOCK];
    int expected;

    pattern(machine, iv, sizeof(iv));
    expected = key->references != 0 && key->has_handle && key->algorithm->kind == MODEL_CIPHER &&
               strcmp(key->algorithm->name, slot->algorithm->name) == 0 &&
               can_continue(key, encrypt, has_iv);
    if (!outcome(machine,
                 EVP_CipherInit_ex2(slot->context, NULL, NULL, has_iv ? iv : NULL, encrypt, params),
                 expected))
        return;
    bind(slot, key);
    slot->encrypt = encrypt;
    if (has_iv)
        model_set_iv(key, iv);
}

void bind_cipher(struct machine *machine)
{
    struct cipher_slot *slot = pick_cipher(machine);
    struct key_slot *key = pick_key(machine);

    if (key->pkey == NULL || key->model->algorithm->kind != MODEL_CIPHER)
        return;
    new_context(slot, key->model->algorithm);
    bind_to(machine, slot, key->model);
}

void rebind_cipher(struct machine *machine)
{
    struct cipher_slot *slot = pick_cipher(machine);
    const size_t which = fuzz_u8(&machine->input);

    if (slot->context != NULL && machine->made_count != 0)
        bind_to(machine, slot, machine->made[which % machine->made_count]);
}

/* With key bytes of its own. */
void start_cipher(struct machine *machine)
{
    struct cipher_slot *slot = pick_cipher(machine);
    const struct model_algorithm *algorithm =
        &model_algorithms[fuzz_u8(&machine->input) % MODEL_CIPHERS];
    const unsigned flags = fuzz_u8(&machine->input);
    const int encrypt = flags & 1, has_iv = flags >> 1 & 1;
    uint8_t secret[MODEL_MAX_SECRET], iv[MODEL_MAX_BLOCK];

    pattern(machine, secret, sizeof(secret));
    pattern(machine, iv, sizeof(iv));
    if (slot->context == NULL || (flags & 4) != 0)
        new_context(slot, algorithm);
    /* key bytes have no salt: the row before is the same without */
    algorithm = slot->algorithm - (slot->algorithm->salt_size != 0 ? 1 : 0);
    /* after a handle the context has the size of that key */
    fuzz_expect(EVP_CIPHER_CTX_set_key_length(slot->context, (int)algorithm->key_size) == 1,
                "a size of the key");
    if (!outcome(machine,
                 EVP_CipherInit_ex2(slot->context, NULL, secret, has_iv ? iv : NULL, encrypt, NULL),
                 1))
        return;
    slot->own.algorithm = algorithm;
    memcpy(slot->own.secret, secret, algorithm->key_size);
    slot->own.secret_size = algorithm->key_size;
    slot->own.position = 0;
    slot->has_own = 1;
    if (slot->bound != NULL)
        slot->bound->references--;
    slot->bound = NULL;
    slot->encrypt = encrypt;
    model_set_iv(&slot->own, has_iv ? iv : slot->own.iv);
}

/* Initialised again, with neither key nor handle. */
void set_iv(struct machine *machine)
{
    struct cipher_slot *slot = pick_cipher(machine);
    const unsigned flags = fuzz_u8(&machine->input);
    const int encrypt = flags & 1, has_iv = flags >> 1 & 1;
    uint8_t iv[MODEL_MAX_BLOCK];
    int expected;

    pattern(machine, iv, sizeof(iv));
    if (slot->context == NULL)
        return;
    expected = slot->bound == NULL || can_continue(slot->bound, encrypt, has_iv);
    if (!outcome(machine,
                 EVP_CipherInit_ex2(slot->context, NULL, NULL, has_iv ? iv : NULL, encrypt, NULL),
                 expected))
        return;
    slot->encrypt = encrypt;
    if (slot->bound == NULL)
        model_set_iv(&slot->own, has_iv ? iv : slot->own.iv);
    else if (has_iv)
        model_set_iv(slot->bound, iv);
}

void set_padding(struct machine *machine)
{
    struct cipher_slot *slot = pick_cipher(machine);
    const int padding = fuzz_u8(&machine->input) & 1;

    if (slot->context == NULL)
        return;
    if (outcome(machine, EVP_CIPHER_CTX_set_padding(slot->context, padding), 1))
        slot->padding = padding ? PADDING_ON : PADDING_OFF;
}

/* ---- data ---- */

void update_cipher(struct machine *machine)
{
    struct cipher_slot *slot = pick_cipher(machine);
    const size_t size = fuzz_u8(&machine->input) % (MAX_DATA + 1);
    uint8_t in[MAX_DATA], out[MAX_DATA + MODEL_MAX_BLOCK], want[MAX_DATA + MODEL_MAX_BLOCK];
    struct model_key *state;
    size_t expected = 0;
    int written = 0, ok;

    pattern(machine, in, size);
    if (slot->context == NULL)
        return;
    state = state_of(slot);
    ok = state != NULL && model_update(state, slot->encrypt, pads(slot), in, size, want, &expected);
    if (outcome(machine, EVP_CipherUpdate(slot->context, out, &written, in, (int)size), ok))
        fuzz_expect_same(out, (size_t)written, want, expected, "the model's bytes");
}

void finish_cipher(struct machine *machine)
{
    struct cipher_slot *slot = pick_cipher(machine);
    uint8_t out[MODEL_MAX_BLOCK], want[MODEL_MAX_BLOCK];
    struct model_key *state;
    size_t expected = 0;
    int written = 0, ok;

    if (slot->context == NULL)
        return;
    state = state_of(slot);
    ok = state != NULL && model_final(state, slot->encrypt, pads(slot), want, &expected);
    if (outcome(machine, EVP_CipherFinal_ex(slot->context, out, &written), ok))
        fuzz_expect_same(out, (size_t)written, want, expected, "the model's last bytes");
}

/* A copy of a bound context has a copy of the key, which nobody else knows. */
void duplicate_cipher(struct machine *machine)
{
    struct cipher_slot *from = pick_cipher(machine), *slot = pick_cipher(machine);
    EVP_CIPHER_CTX *copy;
    struct model_key *bound = from->bound;

    if (from->context == NULL || from == slot)
        return;
    copy = EVP_CIPHER_CTX_new();
    if (!outcome(machine, EVP_CIPHER_CTX_copy(copy, from->context),
                 bound == NULL || !bound->is_retired)) {
        EVP_CIPHER_CTX_free(copy);
        return;
    }
    drop_cipher(slot);
    *slot = *from;
    slot->context = copy;
    if (bound != NULL)
        slot->bound = new_model(machine, bound);
}

/* Suspended here and resumed there: the state becomes that of a context with its own bytes. */
void move_cipher(struct machine *machine)
{
    struct cipher_slot *from = pick_cipher(machine), *slot = pick_cipher(machine);
    const int encrypt = fuzz_u8(&machine->input) & 1;
    uint8_t blob[MAX_BLOB];
    OSSL_PARAM get[] = { OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, blob,
                                                           sizeof(blob)),
                         OSSL_PARAM_construct_end() };
    OSSL_PARAM set[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    static struct model_key state;

    if (from->context == NULL || from == slot)
        return;
    if (!outcome(machine, EVP_CIPHER_CTX_get_params(from->context, get), state_of(from) != NULL))
        return;
    state = *state_of(from);
    set[0] = fuzz_octets_param(SCHANNEL_PARAM_OPAQUE_BLOB, blob, get[0].return_size);
    new_context(slot, state.algorithm);
    if (!outcome(machine, EVP_CipherInit_ex2(slot->context, NULL, NULL, NULL, encrypt, set),
                 can_continue(&state, encrypt, 0)))
        return;
    slot->own = state;
    slot->own.is_exportable = 0;
    slot->has_own = 1;
    slot->encrypt = encrypt;
}

/* ---- messages ---- */

static int run_message(EVP_PKEY *pkey, int encrypt, const uint8_t *in, size_t size, uint8_t *out,
                       size_t *written)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(fuzz.libctx, pkey, NULL);
    int ok;

    fuzz_expect(context != NULL, "a context");
    if (encrypt)
        ok = EVP_PKEY_encrypt_init(context) > 0 &&
             EVP_PKEY_encrypt(context, out, written, in, size) > 0;
    else
        ok = EVP_PKEY_decrypt_init(context) > 0 &&
             EVP_PKEY_decrypt(context, out, written, in, size) > 0;
    EVP_PKEY_CTX_free(context);
    return ok;
}

void process_message(struct machine *machine)
{
    struct key_slot *slot = pick_key(machine);
    const int encrypt = fuzz_u8(&machine->input) & 1;
    const size_t size = fuzz_u8(&machine->input) % (MAX_DATA + 1);
    uint8_t in[MAX_DATA], out[MAX_DATA + MODEL_MAX_BLOCK], want[MAX_DATA + MODEL_MAX_BLOCK];
    size_t written = sizeof(out), expected = 0;
    int ok;

    pattern(machine, in, size);
    if (slot->pkey == NULL)
        return;
    ok = !slot->model->is_retired && slot->model->algorithm->kind == MODEL_CIPHER &&
         model_message(slot->model, encrypt, in, size, want, &expected);
    if (outcome(machine, run_message(slot->pkey, encrypt, in, size, out, &written), ok))
        fuzz_expect_same(out, written, want, expected, "the model's message");
}
