/* Blobs that have to be refused: see golden_refusal.h. */
#include "golden_refusal.h"

#include "sample.h"

static size_t refusals, opened, told;

int golden_opens(const struct golden_case *golden, const uint8_t *blob, size_t size)
{
    uint8_t *exact = malloc(size);
    EVP_PKEY *key = NULL;
    EVP_CIPHER_CTX *cipher = NULL;
    EVP_MAC_CTX *mac = NULL;
    int ok;

    assert_true(exact != NULL || size == 0);
    if (size != 0)
        memcpy(exact, blob, size);
    if (golden->has_passphrase)
        key = golden_decode(exact, size, golden->audience, GOLDEN_PASSWORD);
    else if (!golden->is_for_context)
        key = golden_import(exact, size, golden->audience);
    else if (golden_alg_of(golden)->kind == GOLDEN_MAC)
        mac = golden_resume_mac(golden, exact, size);
    else
        cipher = golden_resume_cipher(golden, exact, size);
    ok = key != NULL || cipher != NULL || mac != NULL;
    EVP_PKEY_free(key);
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
    free(exact);
    return ok;
}

static void refuse(const struct golden_case *golden, const uint8_t *blob, size_t size,
                   const char *reason, const char *text)
{
    const char *data, *actual = "none", *sentence = "";
    int flags, ours = 0;
    unsigned long error;

    refusals++;
    if (golden_opens(golden, blob, size)) {
        print_error("%s opens with %s\n", golden->name, text);
        golden_forget_claims();
        opened++;
        ERR_clear_error();
        return;
    }
    while ((error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *library = ERR_lib_error_string(error);

        if (library == NULL || strcmp(library, "schannel") != 0)
            continue;
        ours++;
        actual = ERR_reason_error_string(error);
        sentence = data;
        if (reason != NULL && strcmp(actual, reason) != 0)
            fail_msg("%s with %s: \"%s\" (%s), not \"%s\"", golden->name, text, actual, sentence,
                     reason);
        if (sentence[0] == '\0')
            fail_msg("%s with %s: no sentence", golden->name, text);
    }
    if (ours != 1)
        fail_msg("%s with %s: %d reasons, not one", golden->name, text, ours);
}

void golden_refuse(const struct golden_case *golden, const uint8_t *blob, size_t size,
                   const char *reason, const char *what, ...)
{
    char text[160];
    va_list args;

    if (!is_sampled_of_thousands())
        return;
    va_start(args, what);
    vsnprintf(text, sizeof(text), what, args);
    va_end(args);
    refuse(golden, blob, size, reason, text);
}

void golden_refuse_sealed(const struct golden_case *golden, const struct golden_header *header,
                          const struct golden_bytes *payload, const char *reason, const char *what,
                          unsigned long long value)
{
    static struct golden_bytes blob;
    uint8_t secret[GOLDEN_SECRET_SIZE];
    char text[160];

    if (!is_sampled_of_thousands())
        return;
    if (golden->has_passphrase && header->iterations != GOLDEN_ITERATIONS)
        memset(secret, 0, sizeof(secret)); /* nobody gets as far as to ask */
    else
        golden_secret(golden, secret);
    golden_seal(header, secret, payload, &blob);
    snprintf(text, sizeof(text), "%s %llu", what, value);
    refuse(golden, blob.data, blob.size, reason, text);
}

const struct golden_case *golden_nth(size_t n)
{
    return golden_cases[n].has_passphrase ? NULL : &golden_cases[n];
}

void golden_refused_all(void)
{
    size_t opened_now;

    print_message("%zu blobs refused\n", refusals - told);
    told = refusals;
    opened_now = opened;
    opened = 0;
    assert_int_equal(opened_now, 0);
}
