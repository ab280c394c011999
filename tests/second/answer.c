/*
 * Answers requests to the provider's KDFs and MACs through EVP, one a line, until the input ends:
 * what compare.py asks.
 *
 *     kdf PCT1|SSL2|SSL3|TLS1 keylen=N NAME=VALUE ...
 *     mac PCT1|SSL2|SSL3|TLS1 NAME=VALUE ... [length=N] data=HEX [length=N] data=HEX ...
 *
 * Octets are hexadecimal, integers decimal.  A MAC request is one context and a message for each
 * data; length is its record-length.  The answers:
 *
 *     ok HEX SIZE       the output and what the context says of its size, or "any"; for MACs these
 *                       one behind the other and the sequence number afterwards
 *     no REASON HEX     refused for this one reason, with '-' for ' ', after these MACs
 *     broken WORDS      what must not happen: no reason or several, an output half written, ...
 *
 * HEX is "-" when it is empty.  Ends with status 1 when a request makes no sense.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <schannel/names.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MAX_PARAMS   32
#define MAX_OUTPUT   4096
#define MAX_MAC      20
#define GUARD        0xa5

static OSSL_LIB_CTX *libctx;

static const struct {
    const char *name, *kdf, *mac;
} protocols[] = {
    { "PCT1", SCHANNEL_KDF_PCT1, SCHANNEL_MAC_PCT1 },
    { "SSL2", SCHANNEL_KDF_SSL2, SCHANNEL_MAC_SSL2 },
    { "SSL3", SCHANNEL_KDF_SSL3, SCHANNEL_MAC_SSL3 },
    { "TLS1", SCHANNEL_KDF_TLS1, SCHANNEL_MAC_TLS1 },
};

static EVP_KDF *kdfs[COUNT(protocols)];
static EVP_MAC *macs[COUNT(protocols)];

/* Every parameter but octet strings; what is not here is one. */
static const char *const texts[] = { SCHANNEL_PARAM_USAGE, SCHANNEL_PARAM_CIPHER,
                                     SCHANNEL_PARAM_DIGEST };
static const char *const numbers[] = {
    SCHANNEL_PARAM_CIPHER_BITS,     SCHANNEL_PARAM_MAC_BITS,       SCHANNEL_PARAM_EXPORT,
    SCHANNEL_PARAM_RELAXED_RANDOMS, SCHANNEL_PARAM_SSL2_DES_DIGIT, SCHANNEL_PARAM_PCT_RAW_DES,
    SCHANNEL_PARAM_RECORD_MODE,     SCHANNEL_PARAM_RECORD_TYPE,    SCHANNEL_PARAM_RECORD_VERSION,
    SCHANNEL_PARAM_SEQUENCE,
};

static _Noreturn void stop(const char *what, const char *about)
{
    fprintf(stderr, "answer: %s: %.100s\n", what, about);
    exit(1);
}

/* ---- requests ---- */

struct request {
    OSSL_PARAM params[MAX_PARAMS];
    uint64_t integers[MAX_PARAMS];
    size_t count;
};

static int is_listed(const char *name, const char *const *list, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        if (strcmp(list[n], name) == 0)
            return 1;
    }
    return 0;
}

static uint64_t integer_of(const char *text)
{
    char *end = NULL;
    const uint64_t number = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0')
        stop("no number", text);
    return number;
}

static unsigned digit_of(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = character == '\0' ? NULL : strchr(digits, character);

    if (found == NULL)
        stop("no hexadecimal digit", &character);
    return (unsigned)(found - digits);
}

/* In place; the number of bytes. */
static size_t decode(char *text)
{
    const size_t size = strlen(text) / 2;

    for (size_t n = 0; n < size; n++)
        text[n] = (char)(digit_of(text[2 * n]) << 4 | digit_of(text[2 * n + 1]));
    return size;
}

static void add(struct request *request, const char *name, char *value)
{
    OSSL_PARAM *param = &request->params[request->count];
    uint64_t *integer = &request->integers[request->count];

    if (++request->count == MAX_PARAMS)
        stop("too many parameters", name);
    if (is_listed(name, texts, COUNT(texts))) {
        *param = OSSL_PARAM_construct_utf8_string(name, value, 0);
    } else if (is_listed(name, numbers, COUNT(numbers))) {
        *integer = integer_of(value);
        *param = OSSL_PARAM_construct_uint64(name, integer);
    } else {
        *param = OSSL_PARAM_construct_octet_string(name, value, decode(value));
    }
    request->params[request->count] = OSSL_PARAM_construct_end();
}

/* The next NAME=VALUE of a line, NULL at its end. */
static char *next_item(char **rest, char **value)
{
    char *name = strtok_r(NULL, " \n", rest);

    if (name == NULL)
        return NULL;
    if ((*value = strchr(name, '=')) == NULL)
        stop("no NAME=VALUE", name);
    *(*value)++ = '\0';
    return name;
}

/* ---- answers ---- */

static void print_hex(const uint8_t *data, size_t size)
{
    if (size == 0)
        putchar('-');
    for (size_t n = 0; n < size; n++)
        printf("%02x", data[n]);
}

/* The one reason on the queue, which is empty afterwards; "" when there is none or several. */
static void take_reason(char *reason, size_t room)
{
    unsigned long error;
    unsigned found = 0;

    while ((error = ERR_get_error()) != 0) {
        const char *library = ERR_lib_error_string(error), *words = ERR_reason_error_string(error);

        if (library == NULL || strcmp(library, "schannel") != 0)
            continue;
        found++;
        snprintf(reason, room, "%s", words == NULL ? "" : words);
    }
    if (found != 1)
        *reason = '\0';
    for (char *at = reason; *at != '\0'; at++)
        *at = *at == ' ' ? '-' : *at;
}

static void answer_refused(const uint8_t *done, size_t size)
{
    char reason[100] = "";

    take_reason(reason, sizeof(reason));
    if (*reason == '\0') {
        printf("broken refused with no reason of the provider's, or with several\n");
        return;
    }
    printf("no %s ", reason);
    print_hex(done, size);
    putchar('\n');
}

static int is_untouched(const uint8_t *out, size_t from)
{
    for (size_t n = from; n < MAX_OUTPUT; n++) {
        if (out[n] != GUARD)
            return 0;
    }
    return 1;
}

/* ---- KDFs ---- */

static void derive(EVP_KDF_CTX *context, size_t size)
{
    static uint8_t out[MAX_OUTPUT];
    size_t told;
    int ok;

    memset(out, GUARD, sizeof(out));
    told = EVP_KDF_CTX_get_kdf_size(context);
    ERR_clear_error();
    ok = EVP_KDF_derive(context, out, size, NULL) == 1;
    if (!is_untouched(out, ok ? size : 0)) {
        ERR_clear_error();
        printf("broken wrote past the output, or into that of a refused derivation\n");
    } else if (!ok) {
        answer_refused(NULL, 0);
    } else if (ERR_peek_error() != 0) {
        ERR_clear_error();
        printf("broken derived and left an error behind\n");
    } else {
        printf("ok ");
        print_hex(out, size);
        if (told == SIZE_MAX)
            printf(" any\n");
        else
            printf(" %zu\n", told);
    }
}

static void answer_kdf(size_t protocol, char **rest)
{
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdfs[protocol]);
    struct request request = { .count = 0 };
    char *name, *value;
    size_t size = 0;

    request.params[0] = OSSL_PARAM_construct_end();
    while ((name = next_item(rest, &value)) != NULL) {
        if (strcmp(name, "keylen") == 0)
            size = (size_t)integer_of(value);
        else
            add(&request, name, value);
    }
    if (context == NULL || size > MAX_OUTPUT)
        stop("no context, or an output too long", protocols[protocol].name);
    if (EVP_KDF_CTX_set_params(context, request.params) == 1)
        derive(context, size);
    else
        answer_refused(NULL, 0);
    EVP_KDF_CTX_free(context);
}

/* ---- MACs ---- */

struct macs {
    EVP_MAC_CTX *context;
    uint8_t out[MAX_OUTPUT];
    size_t size;
};

static int tell_length(struct macs *all, uint64_t length)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_RECORD_LENGTH, &length),
                            OSSL_PARAM_construct_end() };

    return EVP_MAC_CTX_set_params(all->context, params);
}

/* In pieces of growing size: 0, 1, 3, 7, ... */
static int authenticate(struct macs *all, const uint8_t *data, size_t size)
{
    uint8_t mac[MAX_MAC];
    size_t piece = 0, written = 0;

    while (size != 0) {
        const size_t now = piece < size ? piece : size;

        if (EVP_MAC_update(all->context, data, now) != 1)
            return 0;
        data += now;
        size -= now;
        piece = 2 * piece + 1;
    }
    if (EVP_MAC_final(all->context, mac, &written, sizeof(mac)) != 1)
        return 0;
    if (all->size + written > sizeof(all->out))
        stop("too many messages", "mac");
    memcpy(all->out + all->size, mac, written);
    all->size += written;
    return 1;
}

static int get_sequence(struct macs *all, uint64_t *sequence)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, sequence),
                            OSSL_PARAM_construct_end() };

    return EVP_MAC_CTX_get_params(all->context, params);
}

static int answer_message(struct macs *all, const char *name, char *value)
{
    if (strcmp(name, "length") == 0)
        return tell_length(all, integer_of(value));
    if (strcmp(name, "data") == 0)
        return authenticate(all, (const uint8_t *)value, decode(value));
    stop("neither length nor data", name);
}

static void answer_mac(size_t protocol, char **rest)
{
    struct request request = { .count = 0 };
    static struct macs all;
    char *name, *value;
    uint64_t sequence = 0;
    int ok;

    all.context = EVP_MAC_CTX_new(macs[protocol]);
    all.size = 0;
    if (all.context == NULL)
        stop("no context", protocols[protocol].name);
    request.params[0] = OSSL_PARAM_construct_end();
    while ((name = next_item(rest, &value)) != NULL && strcmp(name, "length") != 0 &&
           strcmp(name, "data") != 0)
        add(&request, name, value);
    ok = EVP_MAC_init(all.context, NULL, 0, request.params) == 1;
    for (; ok && name != NULL; name = next_item(rest, &value))
        ok = answer_message(&all, name, value);
    if (ok && get_sequence(&all, &sequence)) {
        printf("ok ");
        print_hex(all.out, all.size);
        printf(" %" PRIu64 "\n", sequence);
    } else {
        answer_refused(all.out, all.size);
    }
    EVP_MAC_CTX_free(all.context);
}

/* ---- lines ---- */

static void answer(char *line)
{
    char *rest = NULL, *kind = strtok_r(line, " \n", &rest);
    char *name = kind == NULL ? NULL : strtok_r(NULL, " \n", &rest);
    size_t protocol = 0;

    while (name != NULL && protocol < COUNT(protocols) &&
           strcmp(protocols[protocol].name, name) != 0)
        protocol++;
    if (name == NULL || protocol == COUNT(protocols))
        stop("no protocol", name == NULL ? "" : name);
    if (strcmp(kind, "kdf") == 0)
        answer_kdf(protocol, &rest);
    else if (strcmp(kind, "mac") == 0)
        answer_mac(protocol, &rest);
    else
        stop("neither kdf nor mac", kind);
    fflush(stdout);
}

int main(void)
{
    OSSL_PROVIDER *standard, *provider;
    char *line = NULL;
    size_t room = 0;

    libctx = OSSL_LIB_CTX_new();
    standard = OSSL_PROVIDER_load(libctx, "default");
    OSSL_PROVIDER_set_default_search_path(libctx, MODULE_DIR);
    provider = OSSL_PROVIDER_load(libctx, SCHANNEL_PROVIDER_NAME);
    if (standard == NULL || provider == NULL)
        stop("the provider cannot be loaded", MODULE_DIR);
    for (size_t n = 0; n < COUNT(protocols); n++) {
        kdfs[n] = EVP_KDF_fetch(libctx, protocols[n].kdf, SCHANNEL_PROPERTIES);
        macs[n] = EVP_MAC_fetch(libctx, protocols[n].mac, SCHANNEL_PROPERTIES);
        if (kdfs[n] == NULL || macs[n] == NULL)
            stop("no such algorithm", protocols[n].name);
    }
    while (getline(&line, &room, stdin) > 0)
        answer(line);
    free(line);
    for (size_t n = 0; n < COUNT(protocols); n++) {
        EVP_KDF_free(kdfs[n]);
        EVP_MAC_free(macs[n]);
    }
    OSSL_PROVIDER_unload(provider);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(libctx);
    return 0;
}
