/*
 * Everything that the provider offers, one table per operation: names, properties, implementation.
 * Read by provider.c when libcrypto asks; changing what is offered is done here.
 */
#include <stddef.h>
#include "dispatch.h"
#include "schannel/names.h"
#include "skey_dispatch.h"

/* One entry, with the property that every algorithm of ours carries. */
#define ROW(name, functions, description)                                                          \
    {                                                                                              \
        name, SCHANNEL_PROPERTIES, functions, description                                          \
    }
#define CODER(name, what, functions)                                                               \
    {                                                                                              \
        name, SCHANNEL_PROPERTIES "," what, functions, NULL                                        \
    }
#define END_OF_TABLE                                                                               \
    {                                                                                              \
        NULL, NULL, NULL, NULL                                                                     \
    }

static const OSSL_ALGORITHM keymgmt[] = {
    ROW(SCHANNEL_KEY_TYPE, schannel_keymgmt_functions,
        "Master and session keys of the Schannel CSP"),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM skeymgmt[] = {
    ROW(SCHANNEL_KEY_TYPE, schannel_skeymgmt_functions,
        "Master and session keys of the Schannel CSP"),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM kdfs[] = {
    ROW(SCHANNEL_KDF_PCT1, schannel_pct1_kdf_functions, "PCT 1.0 key derivation"),
    ROW(SCHANNEL_KDF_SSL2, schannel_ssl2_kdf_functions, "SSL 2.0 key derivation"),
    ROW(SCHANNEL_KDF_SSL3, schannel_ssl3_kdf_functions, "SSL 3.0 key derivation"),
    ROW(SCHANNEL_KDF_TLS1, schannel_tls1_kdf_functions, "TLS 1.0 and 1.1 key derivation"),
    ROW(SCHANNEL_KDF_CRYPTDERIVEKEY, schannel_cryptderivekey_functions,
        "CryptDeriveKey: keys from passwords"),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM ciphers[] = {
    ROW(SCHANNEL_CIPHER_RC4, schannel_rc4_functions, "RC4, resumable"),
    ROW(SCHANNEL_CIPHER_RC2_CBC, schannel_rc2_cbc_functions, "RC2 in CBC mode, resumable"),
    ROW(SCHANNEL_CIPHER_DES_CBC, schannel_des_cbc_functions, "DES in CBC mode, resumable"),
    ROW(SCHANNEL_CIPHER_DES_EDE_CBC, schannel_des_ede_cbc_functions,
        "Two-key triple DES in CBC mode, resumable"),
    ROW(SCHANNEL_CIPHER_DES_EDE3_CBC, schannel_des_ede3_cbc_functions,
        "Three-key triple DES in CBC mode, resumable"),
    ROW(SCHANNEL_CIPHER_AES_128_CBC, schannel_aes_128_cbc_functions,
        "AES-128 in CBC mode, resumable"),
    ROW(SCHANNEL_CIPHER_AES_192_CBC, schannel_aes_192_cbc_functions,
        "AES-192 in CBC mode, resumable"),
    ROW(SCHANNEL_CIPHER_AES_256_CBC, schannel_aes_256_cbc_functions,
        "AES-256 in CBC mode, resumable"),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM macs[] = {
    ROW(SCHANNEL_MAC_PCT1, schannel_pct1_mac_functions, "Record MAC of PCT 1.0, resumable"),
    ROW(SCHANNEL_MAC_SSL2, schannel_ssl2_mac_functions, "Record MAC of SSL 2.0, resumable"),
    ROW(SCHANNEL_MAC_SSL3, schannel_ssl3_mac_functions, "Record MAC of SSL 3.0, resumable"),
    ROW(SCHANNEL_MAC_TLS1, schannel_tls1_mac_functions, "Record MAC of TLS 1.0 and 1.1, resumable"),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM keyexchanges[] = {
    ROW(SCHANNEL_KEY_TYPE, schannel_keyexch_functions, "PRF and Finished of a master key"),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM asymciphers[] = {
    ROW(SCHANNEL_KEY_TYPE, schannel_asymcipher_functions, "CryptEncrypt and CryptDecrypt"),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM signatures[] = {
    ROW(SCHANNEL_KEY_TYPE, schannel_signature_functions, "Record MACs as signatures"),
    END_OF_TABLE,
};

/* libcrypto writes private keys as PrivateKeyInfo (PEM, DER) or type-specific (DER, tried first). */
static const OSSL_ALGORITHM encoders[] = {
    CODER(SCHANNEL_KEY_TYPE, "output=pem,structure=PrivateKeyInfo", schannel_pem_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=der,structure=PrivateKeyInfo", schannel_der_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=der,structure=type-specific", schannel_der_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=opaqueblob", schannel_opaque_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=simpleblob", schannel_simple_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=plaintextblob", schannel_plaintext_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=signedblob", schannel_signed_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=text", schannel_text_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=pem,structure=SubjectPublicKeyInfo",
          schannel_public_encoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "output=der,structure=SubjectPublicKeyInfo",
          schannel_public_encoder_functions),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM decoders[] = {
    CODER("DER", "input=pem", schannel_pem_decoder_functions),
    CODER("DER", "input=opaqueblob", schannel_opaque_blob_decoder_functions),
    CODER("DER", "input=simpleblob", schannel_simple_blob_decoder_functions),
    CODER("DER", "input=plaintextblob", schannel_plaintext_blob_decoder_functions),
    CODER("DER", "input=signedblob", schannel_signed_blob_decoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "input=der", schannel_key_decoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "input=opaqueblob", schannel_opaque_key_decoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "input=simpleblob", schannel_simple_key_decoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "input=plaintextblob", schannel_plaintext_key_decoder_functions),
    CODER(SCHANNEL_KEY_TYPE, "input=signedblob", schannel_signed_key_decoder_functions),
    END_OF_TABLE,
};

static const OSSL_ALGORITHM stores[] = {
    ROW(SCHANNEL_STORE_SCHEME, schannel_store_functions, "Key blobs in files and directories"),
    END_OF_TABLE,
};

static const struct {
    int operation_id;
    const OSSL_ALGORITHM *algorithms;
} operations[] = {
    { OSSL_OP_KEYEXCH, keyexchanges }, { OSSL_OP_ASYM_CIPHER, asymciphers },
    { OSSL_OP_SIGNATURE, signatures }, { OSSL_OP_KEYMGMT, keymgmt },
    { OSSL_OP_SKEYMGMT, skeymgmt },    { OSSL_OP_KDF, kdfs },
    { OSSL_OP_CIPHER, ciphers },       { OSSL_OP_MAC, macs },
    { OSSL_OP_ENCODER, encoders },     { OSSL_OP_DECODER, decoders },
    { OSSL_OP_STORE, stores },
};

const OSSL_ALGORITHM *schannel_algorithms(int operation_id)
{
    for (size_t n = 0; n < sizeof(operations) / sizeof(operations[0]); n++) {
        if (operations[n].operation_id == operation_id)
            return operations[n].algorithms;
    }
    return NULL;
}
