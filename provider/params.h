/*
 * Reading OSSL_PARAMs with errors that name the parameter, what was expected and what came.
 * Used by every operation room and by key/.  All functions: 1, or 0 with a reason raised and the
 * output untouched.  Octets are borrowed from the parameter.
 */
#ifndef SCHANNEL_PROVIDER_PARAMS_H
#define SCHANNEL_PROVIDER_PARAMS_H

#include <string.h>
#include <openssl/params.h>
#include "errors.h"
#include "primitive/digest.h"
#include "primitive/octets.h"
#include "protocol/bulk_cipher.h"

/* Room for the longest name that an algorithm, usage or digest has, and then some. */
#define PARAMS_NAME_SIZE 64

/* Is |param| the one that is called |name|?  The first letter settles most questions. */
static inline int params_is(const OSSL_PARAM *param, const char *name)
{
    return param->key[0] == name[0] && strcmp(param->key, name) == 0;
}

/* Any integer type; |least| <= value <= |most|. */
int params_get_number(const struct errors *errors, const OSSL_PARAM *param, uint64_t least,
                      uint64_t most, uint64_t *value);
/* The same for 0 and 1. */
int params_get_flag(const struct errors *errors, const OSSL_PARAM *param, int *value);
/* An octet string of |least| to |most| bytes. */
int params_get_octets(const struct errors *errors, const OSSL_PARAM *param, size_t least,
                      size_t most, struct octets *value);
/* The same for bytes that some callers have as a text: an octet string or a UTF-8 string, borrowed
 * without its terminator. */
int params_get_octets_or_text(const struct errors *errors, const OSSL_PARAM *param, size_t least,
                              size_t most, struct octets *value);
/* A UTF-8 string of less than |size| bytes, copied and terminated. */
int params_get_name(const struct errors *errors, const OSSL_PARAM *param, char *name, size_t size);

/* MD5 or SHA1 by name. */
int params_get_digest(const struct errors *errors, const OSSL_PARAM *param, enum digest_id *digest);
/* A bulk cipher by name. */
int params_get_cipher(const struct errors *errors, const OSSL_PARAM *param,
                      const struct bulk_cipher **cipher);

#define PARAMS_MIN_VERSION 0x0300
#define PARAMS_MAX_VERSION 0x03ff

/* A protocol version: one of those that SSL 3.0 and its successors can have. */
int params_get_version(const struct errors *errors, const OSSL_PARAM *param, uint16_t *version);
/* "fork": 1 for allow, 0 for refuse. */
int params_get_fork(const struct errors *errors, const OSSL_PARAM *param, int *allowed);

/* Answers a get request with a number, of any integer type that it fits. */
int params_set_number(const struct errors *errors, OSSL_PARAM *param, uint64_t number);
/*
 * Answers a get request with |value|; or, before there is one, with its size alone.  Asked with too
 * small a buffer or another type they fail; a request without a buffer learns the size.
 */
int params_fits_octets(const struct errors *errors, OSSL_PARAM *param, size_t size);
int params_set_octets(const struct errors *errors, OSSL_PARAM *param, struct octets value);

#endif
