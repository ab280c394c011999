/*
 * The cipher context that all ciphers of the provider share.  Called by cipher/ciphers, which has a
 * row for each cipher and its dispatch table.
 */
#ifndef SCHANNEL_CIPHER_CIPHER_H
#define SCHANNEL_CIPHER_CIPHER_H

#include "protocol/bulk_cipher.h"
#include "provctx.h"
#include "skey_dispatch.h"

/* A context for one cipher; NULL with a reason raised. */
void *cipher_new(struct provctx *provctx, enum bulk_cipher_id id);

OSSL_FUNC_cipher_freectx_fn cipher_free;
OSSL_FUNC_cipher_dupctx_fn cipher_dup;
OSSL_FUNC_cipher_encrypt_init_fn cipher_encrypt_init;
OSSL_FUNC_cipher_decrypt_init_fn cipher_decrypt_init;
OSSL_FUNC_cipher_encrypt_skey_init_fn cipher_encrypt_skey_init;
OSSL_FUNC_cipher_decrypt_skey_init_fn cipher_decrypt_skey_init;
OSSL_FUNC_cipher_update_fn cipher_update;
OSSL_FUNC_cipher_final_fn cipher_final;
OSSL_FUNC_cipher_cipher_fn cipher_once;
OSSL_FUNC_cipher_get_ctx_params_fn cipher_get_ctx_params;
OSSL_FUNC_cipher_set_ctx_params_fn cipher_set_ctx_params;

#endif
