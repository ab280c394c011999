/*
 * Golden blobs: format version 1 is frozen.  A second implementation writes exactly the committed
 * bytes, the provider reads them for ever, and every key goes on as if it had never been cut.
 *
 * Called with the word "write" this prints the file of golden blobs.
 */
#include "golden_derived.h"
#include "golden_formula.h"
#include "golden_vectors.h"

/* ---- parameters that can be read from a key ---- */

enum value_type { TEXT, NUMBER, OCTETS };

static const struct {
    const char *name;
    enum value_type type;
} gettable[] = {
    { "alg", TEXT },
    { "kind", TEXT },
    { "bits", NUMBER },
    { "security-bits", NUMBER },
    { "max-size", NUMBER },
    { "usage", TEXT },
    { "iv", OCTETS },
    { "salt", OCTETS },
    { "sequence", NUMBER },
    { "digest", TEXT },
    { "client-random", OCTETS },
    { "server-random", OCTETS },
    { "clear-key", OCTETS },
    { "certificate", OCTETS },
    { "highest-version", NUMBER },
    { "effective-bits", NUMBER },
    { "exportable", NUMBER },
    { "fork", TEXT },
    { "key-id", TEXT },
};

#define GETTABLE (sizeof(gettable) / sizeof(gettable[0]))

/* ---- (a) the second implementation ---- */

static void check_written(struct vectors *vectors, const struct golden_case *golden,
                          struct octets blob)
{
    static struct golden_bytes written;
    uint8_t secret[GOLDEN_SECRET_SIZE];

    golden_blob(golden, &written);
    vectors_expect(vectors, "Blob", (struct octets){ written.data, written.size });
    golden_secret(golden, secret);
    if (golden->has_passphrase)
        assert_string_equal(vectors_string(vectors, "Passphrase"), GOLDEN_PASSWORD);
    else
        vectors_expect(vectors, "SealingKey", (struct octets){ secret, sizeof(secret) });
    assert_in_range(blob.size, 1, MAX_BLOB);
}

static void a_second_implementation_writes_exactly_the_committed_bytes(void **state)
{
    (void)state;
    golden_for_each(check_written);
    print_message("%zu golden blobs\n", golden_case_count);
}

/* ---- (b) every parameter ---- */

/* 1 with |value| printed as in the file; 0: the key lacks the parameter. */
static int get_parameter(EVP_PKEY *key, const char *name, enum value_type type, char *value,
                         size_t room)
{
    uint8_t octets[GOLDEN_MAX_FIELD];
    uint64_t number = 0;
    size_t size = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(name, &number),
                            OSSL_PARAM_construct_end() };

    value[0] = '\0';
    if (type == TEXT)
        return EVP_PKEY_get_utf8_string_param(key, name, value, room, NULL);
    if (type == NUMBER) {
        snprintf(value, room, "%s", "");
        if (!EVP_PKEY_get_params(key, params))
            return 0;
        snprintf(value, room, "%llu", (unsigned long long)number);
        return 1;
    }
    if (!EVP_PKEY_get_octet_string_param(key, name, octets, sizeof(octets), &size))
        return 0;
    for (size_t n = 0; n < size; n++)
        snprintf(value + 2 * n, room - 2 * n, "%02x", octets[n]);
    return 1;
}

static size_t parameters_read;

static void check_parameters(struct vectors *vectors, EVP_PKEY *key)
{
    for (size_t n = 0; n < GETTABLE; n++, parameters_read++) {
        const char *name = gettable[n].name;
        char value[2 * GOLDEN_MAX_FIELD + 1];
        int has = get_parameter(key, name, gettable[n].type, value, sizeof(value));

        if (!vectors_has(vectors, name)) {
            assert_int_equal(has, 0);
            assert_reason("wrong kind of key", name);
        } else if (!has || strcmp(value, vectors_string(vectors, name)) != 0) {
            vectors_fail(vectors, "%s is \"%s\"", name, has ? value : "(lacking)");
        }
    }
    if (vectors_has(vectors, "sequence")) {
        char digest[16];

        assert_int_equal(EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)), 1);
        assert_string_equal(digest, vectors_string(vectors, "digest"));
    }
}

static void check_read(struct vectors *vectors, const struct golden_case *golden,
                       struct octets blob)
{
    char claim[128];

    if (golden->is_for_context)
        return;
    for (int by_decoder = 0; by_decoder < 2; by_decoder++) {
        EVP_PKEY *key = golden_open_key(golden, blob.data, blob.size, by_decoder);

        check_parameters(vectors, key);
        EVP_PKEY_free(key);
    }
    golden_claim_name(0, claim); /* looking is no use */
    assert_no_errors();
}

static void every_parameter_of_an_opened_key_is_as_described(void **state)
{
    (void)state;
    parameters_read = 0;
    golden_for_each(check_read);
    print_message("%zu parameters\n", parameters_read);
}

static void check_refused_as_key(struct vectors *vectors, const struct golden_case *golden,
                                 struct octets blob)
{
    (void)vectors;
    if (golden->has_passphrase) {
        assert_null(golden_import(blob.data, blob.size, golden->audience));
        assert_reason("no passphrase", "");
        assert_null(golden_decode(blob.data, blob.size, golden->audience, "wrong"));
        assert_reason("seal does not verify", "");
    }
    if (!golden->is_for_context)
        return;
    assert_null(golden_import(blob.data, blob.size, golden->audience));
    assert_reason("wrong kind of key", "no key object can have");
    assert_null(golden_decode(blob.data, blob.size, golden->audience, NULL));
    assert_reason("wrong kind of key", "no key object can have");
}

static void context_states_make_no_keys_and_passphrases_are_needed(void **state)
{
    (void)state;
    golden_for_each(check_refused_as_key);
}

/* ---- (b) going on ---- */

/* The same text uncut, with the implementation of OpenSSL: what is still to come goes to |rest|. */
static size_t uncut_cipher(const struct golden_case *golden, const uint8_t **input,
                           size_t *input_size, const uint8_t **rest)
{
    static uint8_t text[GOLDEN_TEXT_SIZE], output[GOLDEN_TEXT_SIZE + 16];
    const size_t done = golden_done(golden);
    struct golden_cipher_key key;
    uint8_t iv[16];
    size_t total;

    golden_text(golden, text);
    golden_cipher_key(golden, &key);
    golden_fill(golden, "iv", iv, golden_alg_of(golden)->block_size);
    total =
        golden_encrypt(golden_alg_of(golden)->name, &key,
                       golden_alg_of(golden)->block_size ? iv : NULL, text, sizeof(text), output);
    if (golden->direction == GOLDEN_DECRYPT) {
        *input = output + golden->position;
        *input_size = total - golden->position;
        *rest = text + done;
        return GOLDEN_TEXT_SIZE - done;
    }
    *input = text + golden->position;
    *input_size = GOLDEN_TEXT_SIZE - golden->position;
    *rest = output + done;
    return total - done;
}

/* Lets |context| take the rest of the text and finish it; frees the context. */
static void finish_cipher(const struct golden_case *golden, EVP_CIPHER_CTX *context)
{
    const uint8_t *input, *expected;
    uint8_t output[GOLDEN_TEXT_SIZE + 32];
    size_t input_size, size = uncut_cipher(golden, &input, &input_size, &expected);
    int written = 0, last = 0;

    assert_non_null(context);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 1), 1);
    assert_int_equal(EVP_CipherUpdate(context, output, &written, input, (int)input_size), 1);
    assert_int_equal(EVP_CipherFinal_ex(context, output + written, &last), 1);
    assert_int_equal(written + last, size);
    assert_memory_equal(output, expected, size);
    EVP_CIPHER_CTX_free(context);
}

static uint64_t sequence_of(EVP_MAC_CTX *context)
{
    uint64_t sequence = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_MAC_CTX_get_params(context, params), 1);
    return sequence;
}

/* SSL 2.0 begins again behind the last number of 32 bits. */
static uint64_t sequence_after(const struct golden_case *golden)
{
    if (golden->message != RECORD)
        return golden->sequence;
    if (golden_protocol(golden) == GOLDEN_SSL2 && golden->sequence == UINT32_MAX)
        return 0;
    return golden->sequence + 1;
}

/* The MAC of the whole message by OpenSSL; the rest of it is absorbed by |context|, freed here. */
static void finish_mac(const struct golden_case *golden, EVP_MAC_CTX *context)
{
    const size_t absorbed = golden_absorbed(golden);
    uint8_t text[GOLDEN_TEXT_SIZE], expected[20], actual[20];
    size_t size = 0;

    assert_non_null(context);
    golden_text(golden, text);
    assert_true(sequence_of(context) == golden->sequence);
    assert_int_equal(EVP_MAC_update(context, text + absorbed, GOLDEN_TEXT_SIZE - absorbed), 1);
    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(size, golden_mac(golden, expected));
    assert_memory_equal(actual, expected, size);
    assert_true(sequence_of(context) == sequence_after(golden));
    EVP_MAC_CTX_free(context);
}

/* ---- going on, by every way in ---- */

static size_t runs;

static void check_claimed(const struct golden_case *golden)
{
    uint8_t secret[GOLDEN_SECRET_SIZE], blob_id[GOLDEN_BLOB_ID_SIZE], claim[GOLDEN_CLAIM_SIZE];
    uint8_t boot_id[8];
    char expected[128], name[128];
    int length;

    if (golden->mode != GOLDEN_TRANSFER) {
        golden_claim_name(0, name);
        return;
    }
    golden_secret(golden, secret);
    golden_fill(golden, "blob id", blob_id, sizeof(blob_id));
    golden_fill(golden, "boot id", boot_id, sizeof(boot_id));
    golden_claim(secret, blob_id, claim);
    length = snprintf(expected, sizeof(expected), "%016llx-", (unsigned long long)GOLDEN_FAR);
    for (size_t n = 0; n < sizeof(boot_id); n++)
        length += snprintf(expected + length, 3, "%02x", boot_id[n]);
    length += snprintf(expected + length, 11, "-00abcdef-");
    for (size_t n = 0; n < sizeof(claim); n++)
        length += snprintf(expected + length, 3, "%02x", claim[n]);
    golden_claim_name(1, name);
    assert_string_equal(name, expected);
    golden_forget_claims();
}

static void go_on_as_key(const struct golden_case *golden, struct octets blob, int by_decoder)
{
    EVP_PKEY *key = golden_open_key(golden, blob.data, blob.size, by_decoder);

    switch (golden_alg_of(golden)->kind) {
    case GOLDEN_MASTER:
        golden_derive_all(golden, key);
        break;
    case GOLDEN_CIPHER:
        finish_cipher(golden, golden_bind_cipher(key, golden_alg_of(golden)->name,
                                                 golden->direction != GOLDEN_DECRYPT));
        break;
    default:
        break;
    }
    if (golden_has_message(golden))
        finish_mac(golden, golden_bind_mac(key, golden_protocol(golden)));
    EVP_PKEY_free(key);
    check_claimed(golden);
    runs++;
}

/* A context holds the cipher or the MAC of an SSL 2.0 key, not both: it leaves the blob alone. */
static void check_is_for_keys_only(const struct golden_case *golden, struct octets blob)
{
    assert_null(golden_resume_cipher(golden, blob.data, blob.size));
    assert_reason("wrong kind of key", "");
    assert_null(golden_resume_mac(golden, blob.data, blob.size));
    assert_reason("wrong kind of key", "");
    golden_claim_name(0, (char[128]){ 0 });
}

static void check_goes_on(struct vectors *vectors, const struct golden_case *golden,
                          struct octets blob)
{
    (void)vectors;
    if (golden->is_expired)
        return;
    for (int by_decoder = 0; by_decoder < 2 && !golden->is_for_context; by_decoder++)
        go_on_as_key(golden, blob, by_decoder);
    /* a context cannot ask for a passphrase */
    if (golden_alg_of(golden)->kind == GOLDEN_MASTER || golden->has_passphrase)
        return;
    if (golden_is_ssl2_cipher(golden)) {
        check_is_for_keys_only(golden, blob);
        return;
    }
    if (golden_has_message(golden)) {
        finish_mac(golden, golden_resume_mac(golden, blob.data, blob.size));
        check_claimed(golden);
        runs++;
    }
    if (golden_alg_of(golden)->kind == GOLDEN_CIPHER) {
        finish_cipher(golden, golden_resume_cipher(golden, blob.data, blob.size));
        check_claimed(golden);
        runs++;
    }
    assert_no_errors();
}

static void every_key_goes_on_as_if_it_had_not_been_cut(void **state)
{
    (void)state;
    runs = 0;
    golden_for_each(check_goes_on);
    print_message("%zu runs against OpenSSL's own\n", runs);
}

/* A premaster secret that does not begin with the highest version is replaced, silently. */
static void check_version(struct vectors *vectors, const struct golden_case *golden,
                          struct octets blob)
{
    static const uint16_t others[] = { 0, 0x0300, 0x0301, 0x0302 };
    static struct golden_bytes payload, sealed;
    struct golden_header header;
    uint8_t secret[GOLDEN_SECRET_SIZE];

    (void)vectors;
    (void)blob;
    if (golden->highest_version == 0)
        return;
    for (size_t n = 0; n < sizeof(others) / sizeof(others[0]); n++) {
        const int is_harmless = others[n] == 0 || others[n] == golden->highest_version;
        EVP_PKEY *key;

        golden_header(golden, &header);
        golden_payload(golden, &payload);
        golden_set_number(&payload, "highest_version", others[n]);
        golden_secret(golden, secret);
        golden_seal(&header, secret, &payload, &sealed);
        key = golden_open_key(golden, sealed.data, sealed.size, 0);
        assert_int_equal(golden_derives_its_mac(golden, key),
                         golden->has_master_secret || is_harmless);
        EVP_PKEY_free(key);
    }
    assert_no_errors();
}

static void a_version_rolled_back_is_found_after_the_move(void **state)
{
    (void)state;
    golden_for_each(check_version);
}

/* ---- (b) transfers ---- */

/* A use; 0 when the provider refuses. */
static int use(EVP_PKEY *key)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key);

    EVP_PKEY_free(copy);
    return copy != NULL;
}

static void check_transfer(struct vectors *vectors, const struct golden_case *golden,
                           struct octets blob)
{
    struct golden_case other = *golden;
    EVP_PKEY *first, *second;

    (void)vectors;
    if (golden->mode != GOLDEN_TRANSFER || golden->is_for_context)
        return;
    first = golden_open_key(golden, blob.data, blob.size, 0);
    second = golden_open_key(golden, blob.data, blob.size, 0);
    assert_int_equal(use(first), !golden->is_expired);
    if (golden->is_expired)
        assert_reason("blob has expired", "seconds ago");
    assert_int_equal(use(second), 0);
    assert_reason(golden->is_expired ? "blob has expired" : "blob was opened before", "");
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);

    golden_forget_claims();
    for (int is_named = 0; is_named < 2; is_named++) {
        other.audience = is_named ? "somebody else" : NULL;
        if (golden->is_expired || (!is_named && golden->audience == NULL))
            continue;
        first = golden_open_key(&other, blob.data, blob.size, 0);
        assert_int_equal(use(first), 0);
        assert_reason("blob is for another audience", "");
        EVP_PKEY_free(first);
    }
}

static void transfers_open_once_in_time_and_for_their_audience(void **state)
{
    (void)state;
    golden_for_each(check_transfer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_implementation_writes_exactly_the_committed_bytes),
        cmocka_unit_test(every_parameter_of_an_opened_key_is_as_described),
        cmocka_unit_test(context_states_make_no_keys_and_passphrases_are_needed),
        cmocka_unit_test(every_key_goes_on_as_if_it_had_not_been_cut),
        cmocka_unit_test(a_version_rolled_back_is_found_after_the_move),
        cmocka_unit_test(transfers_open_once_in_time_and_for_their_audience),
    };

    if (argc == 2 && strcmp(argv[1], "write") == 0)
        return golden_write_file();
    return cmocka_run_group_tests(tests, golden_setup, golden_teardown);
}
