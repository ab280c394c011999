/* Reading OSSL_PARAMs with errors of our own: see params.h. */
#include "params.h"

#include <inttypes.h>
#include <string.h>
#include "schannel/names.h"

int params_get_number(const struct errors *errors, const OSSL_PARAM *param, uint64_t least,
                      uint64_t most, uint64_t *value)
{
    uint64_t number;

    if (param->data == NULL ||
        (param->data_type != OSSL_PARAM_INTEGER && param->data_type != OSSL_PARAM_UNSIGNED_INTEGER))
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "%s: expected an integer", param->key);
    /* Fails for negative numbers and those wider than 64 bits. */
    if (!OSSL_PARAM_get_uint64(param, &number))
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER,
                     "%s: expected an integer from %" PRIu64 " to %" PRIu64
                     ", got a negative or larger one",
                     param->key, least, most);
    if (number < least || number > most)
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER,
                     "%s: expected %" PRIu64 " to %" PRIu64 ", got %" PRIu64, param->key, least,
                     most, number);
    *value = number;
    return 1;
}

int params_get_flag(const struct errors *errors, const OSSL_PARAM *param, int *value)
{
    uint64_t number;

    if (!params_get_number(errors, param, 0, 1, &number))
        return 0;
    *value = (int)number;
    return 1;
}

static int check_size(const struct errors *errors, const OSSL_PARAM *param, size_t least,
                      size_t most, size_t size)
{
    if (size < least || size > most) {
        if (least == most)
            return RAISE(errors, SCHANNEL_R_INVALID_LENGTH, "%s: expected %zu bytes, got %zu",
                         param->key, least, size);
        return RAISE(errors, SCHANNEL_R_INVALID_LENGTH, "%s: expected %zu to %zu bytes, got %zu",
                     param->key, least, most, size);
    }
    return 1;
}

int params_get_octets(const struct errors *errors, const OSSL_PARAM *param, size_t least,
                      size_t most, struct octets *value)
{
    const void *data = NULL;
    size_t size = 0;

    if (!OSSL_PARAM_get_octet_string_ptr(param, &data, &size) || (data == NULL && size != 0))
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "%s: expected an octet string",
                     param->key);
    if (!check_size(errors, param, least, most, size))
        return 0;
    *value = (struct octets){ data, size };
    return 1;
}

/* data_size may or may not count the terminator, and the string may lack one. */
static size_t text_length(const OSSL_PARAM *param, const char *text, size_t most)
{
    return param->data_type == OSSL_PARAM_UTF8_STRING && param->data_size != 0
               ? strnlen(text, param->data_size)
               : strnlen(text, most);
}

int params_get_octets_or_text(const struct errors *errors, const OSSL_PARAM *param, size_t least,
                              size_t most, struct octets *value)
{
    const char *text = NULL;
    size_t size;

    if (param->data_type != OSSL_PARAM_UTF8_STRING && param->data_type != OSSL_PARAM_UTF8_PTR)
        return params_get_octets(errors, param, least, most, value);
    if (!OSSL_PARAM_get_utf8_string_ptr(param, &text) || text == NULL)
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "%s: expected bytes or a text",
                     param->key);
    size = text_length(param, text, most + 1);
    if (!check_size(errors, param, least, most, size))
        return 0;
    *value = (struct octets){ (const uint8_t *)text, size };
    return 1;
}

int params_get_name(const struct errors *errors, const OSSL_PARAM *param, char *name, size_t size)
{
    const char *text = NULL;
    size_t length;

    if (!OSSL_PARAM_get_utf8_string_ptr(param, &text) || text == NULL)
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "%s: expected a UTF-8 string",
                     param->key);
    length = text_length(param, text, size);
    if (length >= size)
        return RAISE(errors, SCHANNEL_R_INVALID_LENGTH,
                     "%s: expected at most %zu characters, got more", param->key, size - 1);
    memcpy(name, text, length);
    name[length] = '\0';
    return 1;
}

int params_get_digest(const struct errors *errors, const OSSL_PARAM *param, enum digest_id *digest)
{
    char name[PARAMS_NAME_SIZE];
    enum digest_id found;

    if (!params_get_name(errors, param, name, sizeof(name)))
        return 0;
    if ((found = digest_from_name(name)) == DIGEST_NONE)
        return RAISE(errors, SCHANNEL_R_UNKNOWN_ALGORITHM, "%s: expected MD5 or SHA1, got \"%s\"",
                     param->key, name);
    *digest = found;
    return 1;
}

int params_get_cipher(const struct errors *errors, const OSSL_PARAM *param,
                      const struct bulk_cipher **cipher)
{
    char name[PARAMS_NAME_SIZE];
    const struct bulk_cipher *found;

    if (!params_get_name(errors, param, name, sizeof(name)))
        return 0;
    if ((found = bulk_cipher_by_name(name)) == NULL)
        return RAISE(errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                     "%s: expected " BULK_CIPHER_NAMES ", got \"%s\"", param->key, name);
    *cipher = found;
    return 1;
}

int params_get_version(const struct errors *errors, const OSSL_PARAM *param, uint16_t *version)
{
    uint64_t number;

    if (!params_get_number(errors, param, PARAMS_MIN_VERSION, PARAMS_MAX_VERSION, &number))
        return 0;
    *version = (uint16_t)number;
    return 1;
}

int params_get_fork(const struct errors *errors, const OSSL_PARAM *param, int *allowed)
{
    char name[PARAMS_NAME_SIZE];

    if (!params_get_name(errors, param, name, sizeof(name)))
        return 0;
    *allowed = strcmp(name, SCHANNEL_FORK_ALLOW) == 0;
    return *allowed || strcmp(name, SCHANNEL_FORK_REFUSE) == 0 ||
           RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "%s: expected refuse or allow, got \"%s\"",
                 param->key, name);
}

int params_set_number(const struct errors *errors, OSSL_PARAM *param, uint64_t number)
{
    return OSSL_PARAM_set_uint64(param, number) ||
           RAISE(errors, SCHANNEL_R_OUTPUT_TOO_SMALL,
                 "%s: is an integer that does not fit the type asked for", param->key);
}

int params_fits_octets(const struct errors *errors, OSSL_PARAM *param, size_t size)
{
    if (param->data_type != OSSL_PARAM_OCTET_STRING)
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "%s: is an octet string", param->key);
    param->return_size = size;
    return param->data == NULL || param->data_size >= size ||
           RAISE(errors, SCHANNEL_R_OUTPUT_TOO_SMALL, "%s: needs %zu bytes, the buffer has %zu",
                 param->key, size, param->data_size);
}

int params_set_octets(const struct errors *errors, OSSL_PARAM *param, struct octets value)
{
    if (!params_fits_octets(errors, param, value.size))
        return 0;
    if (param->data != NULL && value.size != 0)
        memcpy(param->data, value.data, value.size);
    return 1;
}
