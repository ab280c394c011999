/*
 * The dispatch tables of the operation rooms, one per algorithm.  Defined last in each room's file,
 * listed in algorithms.c, which is the only reader.
 */
#ifndef SCHANNEL_PROVIDER_DISPATCH_H
#define SCHANNEL_PROVIDER_DISPATCH_H

#include <openssl/core.h>

extern const OSSL_DISPATCH schannel_keymgmt_functions[];
extern const OSSL_DISPATCH schannel_skeymgmt_functions[];
extern const OSSL_DISPATCH schannel_keyexch_functions[];
extern const OSSL_DISPATCH schannel_pct1_kdf_functions[];
extern const OSSL_DISPATCH schannel_ssl2_kdf_functions[];
extern const OSSL_DISPATCH schannel_ssl3_kdf_functions[];
extern const OSSL_DISPATCH schannel_tls1_kdf_functions[];
extern const OSSL_DISPATCH schannel_cryptderivekey_functions[];
extern const OSSL_DISPATCH schannel_rc4_functions[];
extern const OSSL_DISPATCH schannel_rc2_cbc_functions[];
extern const OSSL_DISPATCH schannel_des_cbc_functions[];
extern const OSSL_DISPATCH schannel_des_ede_cbc_functions[];
extern const OSSL_DISPATCH schannel_des_ede3_cbc_functions[];
extern const OSSL_DISPATCH schannel_aes_128_cbc_functions[];
extern const OSSL_DISPATCH schannel_aes_192_cbc_functions[];
extern const OSSL_DISPATCH schannel_aes_256_cbc_functions[];
extern const OSSL_DISPATCH schannel_pct1_mac_functions[];
extern const OSSL_DISPATCH schannel_ssl2_mac_functions[];
extern const OSSL_DISPATCH schannel_ssl3_mac_functions[];
extern const OSSL_DISPATCH schannel_tls1_mac_functions[];
extern const OSSL_DISPATCH schannel_asymcipher_functions[];
extern const OSSL_DISPATCH schannel_signature_functions[];
extern const OSSL_DISPATCH schannel_pem_encoder_functions[];
extern const OSSL_DISPATCH schannel_der_encoder_functions[];
extern const OSSL_DISPATCH schannel_opaque_encoder_functions[];
extern const OSSL_DISPATCH schannel_simple_encoder_functions[];
extern const OSSL_DISPATCH schannel_plaintext_encoder_functions[];
extern const OSSL_DISPATCH schannel_signed_encoder_functions[];
extern const OSSL_DISPATCH schannel_text_encoder_functions[];
extern const OSSL_DISPATCH schannel_public_encoder_functions[];
extern const OSSL_DISPATCH schannel_pem_decoder_functions[];
extern const OSSL_DISPATCH schannel_opaque_blob_decoder_functions[];
extern const OSSL_DISPATCH schannel_simple_blob_decoder_functions[];
extern const OSSL_DISPATCH schannel_plaintext_blob_decoder_functions[];
extern const OSSL_DISPATCH schannel_signed_blob_decoder_functions[];
extern const OSSL_DISPATCH schannel_key_decoder_functions[];
extern const OSSL_DISPATCH schannel_opaque_key_decoder_functions[];
extern const OSSL_DISPATCH schannel_simple_key_decoder_functions[];
extern const OSSL_DISPATCH schannel_plaintext_key_decoder_functions[];
extern const OSSL_DISPATCH schannel_signed_key_decoder_functions[];
extern const OSSL_DISPATCH schannel_store_functions[];

/* All algorithms of one operation; NULL for an operation that we do not offer. */
const OSSL_ALGORITHM *schannel_algorithms(int operation_id);

#endif
