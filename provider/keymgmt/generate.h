/*
 * Generation contexts: CryptGenKey, CryptDeriveKey on a master hash, CryptDuplicateKey.
 * Listed in the dispatch table of keymgmt/keymgmt.
 */
#ifndef SCHANNEL_KEYMGMT_GENERATE_H
#define SCHANNEL_KEYMGMT_GENERATE_H

#include <openssl/core_dispatch.h>

OSSL_FUNC_keymgmt_gen_init_fn generate_init;
OSSL_FUNC_keymgmt_gen_set_template_fn generate_set_template;
OSSL_FUNC_keymgmt_gen_set_params_fn generate_set_params;
OSSL_FUNC_keymgmt_gen_settable_params_fn generate_settable_params;
OSSL_FUNC_keymgmt_gen_fn generate;
OSSL_FUNC_keymgmt_gen_cleanup_fn generate_cleanup;

#endif
