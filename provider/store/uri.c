/* URIs of the store: see uri.h. */
#include "store/uri.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "schannel/names.h"

static const char scheme[] = SCHANNEL_STORE_SCHEME ":";

/* ---- percent-encoding ---- */

/* |size| characters of |text|, decoded: owned by the caller.  NULL with a reason raised. */
static char *decode(const struct provctx *provctx, const char *text, size_t size)
{
    char *decoded = OPENSSL_malloc(size + 1);
    size_t length = 0;

    if (decoded == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a URI");
        return NULL;
    }
    for (size_t n = 0; n < size; n++) {
        int high, low;

        if (text[n] != '%') {
            decoded[length++] = text[n];
            continue;
        }
        high = size - n > 2 ? OPENSSL_hexchar2int((unsigned char)text[n + 1]) : -1;
        low = size - n > 2 ? OPENSSL_hexchar2int((unsigned char)text[n + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                  "URI: expected two hex digits other than 00 behind a percent sign");
            OPENSSL_free(decoded);
            return NULL;
        }
        decoded[length++] = (char)(16 * high + low);
        n += 2;
    }
    decoded[length] = '\0';
    return decoded;
}

/* RFC 3986 unreserved characters and the slash stay. */
static int stays(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~/", c) != NULL;
}

static char *encode(char *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (stays(*text))
            *to++ = *text;
        else
            to += sprintf(to, "%%%02X", (unsigned char)*text);
    }
    *to = '\0';
    return to;
}

/* ---- the query ---- */

static const OSSL_PARAM known[] = { BLOB_OPTIONS_IMPORT, OSSL_PARAM_END };

/* One more exchange key: the list grows. */
static int add_exchange_key(const struct provctx *provctx, struct blob_options *options,
                            const char *value)
{
    const char *before = options->exchange_key.text;
    const size_t size = (before != NULL ? strlen(before) + 1 : 0) + strlen(value) + 1;
    char *list = OPENSSL_malloc(size);
    OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };
    int ok;

    if (list == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a URI");
    snprintf(list, size, "%s%s%s", before != NULL ? before : "", before != NULL ? "," : "", value);
    params[0] = OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_EXCHANGE_KEY, list, 0);
    ok = blob_options_set(provctx, options, OPTIONS_IMPORT, params);
    OPENSSL_free(list);
    return ok;
}

static int unknown_option(const struct provctx *provctx, const char *name)
{
    char names[256] = "";

    for (const OSSL_PARAM *param = known; param->key != NULL; param++) {
        OPENSSL_strlcat(names, names[0] != '\0' ? ", " : "", sizeof(names));
        OPENSSL_strlcat(names, param->key, sizeof(names));
    }
    return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER, "URI: expected %s, got \"%s\"",
                 names, name);
}

static int set_option(const struct provctx *provctx, struct blob_options *options, const char *name,
                      const char *value)
{
    OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };
    int found = 0, ok;

    if (strcmp(name, SCHANNEL_PARAM_EXCHANGE_KEY) == 0)
        return add_exchange_key(provctx, options, value);
    errors_mark(provctx->errors);
    ok = OSSL_PARAM_allocate_from_text(params, known, name, value, strlen(value), &found);
    errors_unmark(provctx->errors, 0);
    if (!found)
        return unknown_option(provctx, name);
    if (!ok)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "URI: expected %s as the value of \"%s\"",
                     strncmp(name, "hex", 3) == 0 ? "hex digits" : "a number of 32 bits", name);
    ok = blob_options_set(provctx, options, OPTIONS_IMPORT, params);
    OPENSSL_free(params[0].data);
    return ok;
}

static int parse_option(const struct provctx *provctx, struct blob_options *options,
                        const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    char *name = NULL, *value = NULL;
    int ok;

    if (equals == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "URI: expected NAME=VALUE in the query, got \"%.*s\"", (int)size, text);
    ok = (name = decode(provctx, text, (size_t)(equals - text))) != NULL &&
         (value = decode(provctx, equals + 1, size - (size_t)(equals + 1 - text))) != NULL &&
         set_option(provctx, options, name, value);
    OPENSSL_free(name);
    OPENSSL_free(value);
    return ok;
}

static int parse_query(const struct provctx *provctx, struct blob_options *options,
                       const char *query)
{
    int ok = 1;

    while (ok && *query != '\0') {
        const size_t size = strcspn(query, "&");

        ok = parse_option(provctx, options, query, size);
        query += size;
        if (*query == '&')
            query++;
    }
    return ok;
}

/* ---- all of it ---- */

static int check_scheme(const struct provctx *provctx, const char *text)
{
    if (strlen(text) > STORE_URI_MAX_SIZE)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "URI: expected at most %d characters, got %zu", STORE_URI_MAX_SIZE,
                     strlen(text));
    return strncasecmp(text, scheme, sizeof(scheme) - 1) == 0 ||
           RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                 "URI: expected %sPATH?NAME=VALUE&...", scheme);
}

int store_uri_parse(const struct provctx *provctx, const char *text, struct store_uri *uri)
{
    const char *path, *query;
    int ok;

    memset(uri, 0, sizeof(*uri));
    if (!check_scheme(provctx, text))
        return 0;
    path = text + sizeof(scheme) - 1;
    uri->has_authority = strncmp(path, "//", 2) == 0;
    if (uri->has_authority && path[2] != '/')
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "URI: expected an absolute path behind %s//, as in %s///path", scheme, scheme);
    if (uri->has_authority)
        path += 2;
    query = path + strcspn(path, "?");
    if (query == path)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH, "URI: the path is empty");
    ok = (uri->path = decode(provctx, path, (size_t)(query - path))) != NULL &&
         ((uri->query = OPENSSL_strdup(query)) != NULL ||
          RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a URI")) &&
         (*query == '\0' || parse_query(provctx, &uri->options, query + 1));
    if (!ok)
        store_uri_clear(uri);
    return ok;
}

void store_uri_clear(struct store_uri *uri)
{
    OPENSSL_free(uri->path);
    OPENSSL_free(uri->query);
    blob_options_clear(&uri->options);
    uri->path = uri->query = NULL;
}

static const char *separator_of(const struct store_uri *uri)
{
    const size_t length = strlen(uri->path);

    return length != 0 && uri->path[length - 1] == '/' ? "" : "/";
}

char *store_uri_of_file(const struct store_uri *uri, const char *file)
{
    /* each character can become three */
    const size_t size =
        sizeof(scheme) + 2 + 3 * strlen(uri->path) + 1 + 3 * strlen(file) + strlen(uri->query) + 1;
    char *text = OPENSSL_malloc(size), *end;

    if (text == NULL)
        return NULL;
    end = text + sprintf(text, "%s%s", scheme, uri->has_authority ? "//" : "");
    end = encode(end, uri->path);
    end = encode(end, separator_of(uri));
    end = encode(end, file);
    OPENSSL_strlcpy(end, uri->query, size - (size_t)(end - text));
    return text;
}

char *store_path_of_file(const struct store_uri *uri, const char *file)
{
    const size_t size = strlen(uri->path) + 1 + strlen(file) + 1;
    char *path = OPENSSL_malloc(size);

    if (path != NULL)
        snprintf(path, size, "%s%s%s", uri->path, separator_of(uri), file);
    return path;
}
