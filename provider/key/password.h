/*
 * A password, or the hash of one, and the keys that CryptDeriveKey makes of it.
 *
 * Here the parameters "pass", "hash" and "digest" meet the formula of protocol/cryptderivekey and
 * somebody else's hash functions.  Setting checks each value by itself; whether they fit together
 * is checked when a key is made.  The password is a copy of the context's own, overwritten when it
 * is replaced, copied from or freed.
 * Called by kdf/cryptderivekey and keymgmt/.
 */
#ifndef SCHANNEL_KEY_PASSWORD_H
#define SCHANNEL_KEY_PASSWORD_H

#include <openssl/core.h>
#include "params.h"
#include "protocol/cryptderivekey.h"
#include "provctx.h"

#define PASSWORD_MAX_SIZE 65535 /* bytes; longer data can be given as its hash */

struct password {
    uint8_t *pass; /* owned; NULL: not given */
    size_t pass_size;
    uint8_t hash[CRYPTDERIVEKEY_MAX_HASH_SIZE];
    uint8_t hash_size;             /* 0: not given */
    char digest[PARAMS_NAME_SIZE]; /* "": not given */
};

/*
 * Takes |param| when it is one of the three, and leaves others alone.  "pass" may be octets or a
 * text, and may be empty.  1, or 0 with a reason raised and |password| untouched.
 */
int password_set(const struct provctx *provctx, struct password *password, const OSSL_PARAM *param);
/* 0 when memory is out; |to| is empty then. */
int password_copy(struct password *to, const struct password *from);
/* Cleanses and frees; |password| is empty afterwards. */
void password_clear(struct password *password);
/* The name of the parameter that a key is to be made of, "pass" or "hash"; NULL when neither is
 * given. */
const char *password_given(const struct password *password);

/*
 * A key of |size| bytes, one of the sizes of |cipher|, at |key|, and at |salt| what
 * CRYPT_CREATE_SALT gives it, cryptderivekey_salt_size bytes.  Either may be NULL.  1, or 0 with a
 * reason raised.  The caller cleanses both.
 */
int password_derive(const struct provctx *provctx, const struct password *password,
                    const struct bulk_cipher *cipher, size_t size, uint8_t *key, uint8_t *salt);

/* Descriptors of "pass" and "hash" for the settable tables. */
#define PASSWORD_SETTABLE                                                                          \
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_PASS, NULL, 0),                                         \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_HASH, NULL, 0)

#endif
