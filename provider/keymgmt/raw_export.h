/*
 * EVP_PKEY_todata, and what libcrypto does by itself when a key is used in another library context:
 * the key bytes in the clear, as EVP_PKEY_fromdata takes them.  Only of an exportable key, and only
 * while it has no running state, for which there is no place in parameters: a stream would start
 * again.  Listed in the dispatch tables of keymgmt/keymgmt and skeymgmt/skeymgmt.
 */
#ifndef SCHANNEL_KEYMGMT_RAW_EXPORT_H
#define SCHANNEL_KEYMGMT_RAW_EXPORT_H

#include "skey_dispatch.h"

OSSL_FUNC_keymgmt_export_fn raw_export;
/* The same for EVP_SKEY, whose name for the secret is "raw-bytes". */
OSSL_FUNC_skeymgmt_export_fn raw_export_skey;
extern const OSSL_PARAM raw_export_types[];

#endif
