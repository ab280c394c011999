/* The file of golden blobs: see golden_vectors.h. */
#include "golden_vectors.h"

#define VECTOR_FILE "golden-opaque-v1.txt"

/* ---- writing the file ---- */

static void print_hex(const char *name, const uint8_t *data, size_t size)
{
    printf("%s =%s", name, size != 0 ? " " : "");
    for (size_t n = 0; n < size; n++)
        printf("%02x", data[n]);
    printf("\n");
}

static void print_filled(const struct golden_case *golden, const char *name, const char *label,
                         size_t size)
{
    uint8_t data[GOLDEN_MAX_FIELD];

    golden_fill(golden, label, data, size);
    print_hex(name, data, size);
}

static size_t bits_of(const struct golden_case *golden)
{
    return golden_alg_of(golden)->kind == GOLDEN_MASTER && !golden->has_master_secret
               ? 384
               : 8 * golden_key_size(golden);
}

static size_t security_bits_of(const struct golden_case *golden)
{
    const size_t bits = bits_of(golden), effective_bits = golden_effective_bits(golden);

    if (golden->alg == DES)
        return 56;
    if (golden->alg == DES_EDE)
        return 80;
    if (golden->alg == DES_EDE3)
        return 112;
    return effective_bits != 0 && effective_bits < bits ? effective_bits : bits;
}

/* The largest output: of SSL 3.0's function, a MAC, a block. */
static size_t max_size_of(const struct golden_case *golden)
{
    const struct golden_alg *alg = golden_alg_of(golden);

    if (alg->kind == GOLDEN_MASTER)
        return 416;
    if (golden_has_message(golden))
        return golden->digest == GOLDEN_MD5 ? 16 : 20;
    return alg->block_size != 0 ? alg->block_size : 1;
}

static void print_master(const struct golden_case *golden)
{
    const unsigned protocol = golden_protocol(golden);

    print_filled(golden, "client-random", "client_random", golden->client_random);
    print_filled(golden, "server-random", "server_random", golden->server_random);
    if (protocol == GOLDEN_PCT1 || protocol == GOLDEN_SSL2)
        print_filled(golden, "clear-key", "clear_key", golden->clear_key);
    if (protocol == GOLDEN_PCT1)
        print_filled(golden, "certificate", "certificate", golden->certificate);
    if (protocol == GOLDEN_SSL3 || protocol == GOLDEN_TLS1)
        printf("highest-version = %u\n", golden->highest_version);
}

/* What the key object will answer; a parameter that is not there is one that such a key lacks. */
static void print_parameters(const struct golden_case *golden, const struct golden_bytes *payload)
{
    static const char *const kinds[] = { NULL, "master", "cipher", "mac" };
    const struct golden_alg *alg = golden_alg_of(golden);

    printf("alg = %s\nkind = %s\nbits = %zu\n", alg->name, kinds[alg->kind], bits_of(golden));
    printf("security-bits = %zu\nmax-size = %zu\n", security_bits_of(golden), max_size_of(golden));
    printf("usage = %s\n", golden_usage_names[golden->usage]);
    if (alg->block_size != 0)
        print_hex("iv", payload->data + golden_find(payload, "chain")->offset, alg->block_size);
    if (alg->kind == GOLDEN_CIPHER)
        print_filled(golden, "salt", "salt", golden->has_salt ? 11 : 0);
    if (golden->alg == RC2)
        printf("effective-bits = %u\n", golden_effective_bits(golden));
    if (golden_has_message(golden))
        printf("sequence = %llu\n", (unsigned long long)golden->sequence);
    if (golden->digest != 0)
        printf("digest = %s\n", golden_digest_names[golden->digest]);
    if (alg->kind == GOLDEN_MASTER)
        print_master(golden);
    printf("exportable = %u\nfork = %s\n", golden->exportable, golden->fork ? "allow" : "refuse");
    print_filled(golden, "key-id", "key id", 8);
}

static void print_stanza(const struct golden_case *golden)
{
    static struct golden_bytes blob, payload;
    uint8_t secret[GOLDEN_SECRET_SIZE];

    golden_blob(golden, &blob);
    golden_payload(golden, &payload);
    printf("\nName = %s\n", golden->name);
    golden_sealing_key(secret);
    if (golden->has_passphrase)
        printf("Passphrase = %s\n", GOLDEN_PASSWORD);
    else
        print_hex("SealingKey", secret, sizeof(secret));
    if (golden->audience != NULL)
        printf("Audience = %s\n", golden->audience);
    printf("OpensAs = %s\n", golden->is_for_context ? "context" : "key");
    print_parameters(golden, &payload);
    print_hex("Blob", blob.data, blob.size);
}

int golden_write_file(void)
{
    printf(
        "# Golden opaque blobs of format version 1, which is frozen: every release reads them.\n"
        "# Written by tests/evp/golden_writer.c, which is not the provider's own code, from the\n"
        "# description in provider/blob/opaque.h: evp_golden write.  Parameters in lower case are\n"
        "# what the key answers; one that is missing is one that such a key lacks.  Keys of\n"
        "# \"OpensAs = context\" have sizes that no key object can have.\n");
    for (size_t n = 0; n < golden_case_count; n++)
        print_stanza(&golden_cases[n]);
    return 0;
}

/* ---- reading the file ---- */

static const struct golden_case *case_of(const struct vectors *vectors)
{
    const char *name = vectors_string(vectors, "Name");

    for (size_t n = 0; n < golden_case_count; n++) {
        if (strcmp(golden_cases[n].name, name) == 0)
            return &golden_cases[n];
    }
    vectors_fail(vectors, "no such case");
}

void golden_for_each(void (*check)(struct vectors *, const struct golden_case *, struct octets))
{
    struct vectors *vectors = vectors_open(VECTOR_FILE);
    size_t count = 0;

    ERR_clear_error();
    while (vectors_next(vectors)) {
        golden_forget_claims();
        check(vectors, case_of(vectors), vectors_hex(vectors, "Blob"));
        count++;
    }
    vectors_close(vectors);
    assert_int_equal(count, golden_case_count);
}
