/*
 * The parameters of an existing key: EVP_PKEY_get_params and EVP_PKEY_set_params.
 * Called by keymgmt/keymgmt only.
 */
#ifndef SCHANNEL_KEYMGMT_KEY_PARAMS_H
#define SCHANNEL_KEYMGMT_KEY_PARAMS_H

#include <openssl/core.h>
#include "key/key.h"

/* 1, or 0 with a reason raised.  Nothing about the key changes, but for the identifier and the
 * handle that are made on first request. */
int key_params_get(struct key *key, OSSL_PARAM params[]);
/* All or nothing: 1, or 0 with a reason raised and the key unchanged. */
int key_params_set(struct key *key, const OSSL_PARAM params[]);

extern const OSSL_PARAM key_params_gettable[];
extern const OSSL_PARAM key_params_settable[];

#endif
