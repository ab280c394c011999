/*
 * Names of the schannel provider for use with <openssl/evp.h>: algorithms, parameters, blob types
 * and PEM labels.  Strings only; there is nothing to link against.
 *
 * Copyright 2026 The schannel authors.  Licensed under the Apache License 2.0.
 */
#ifndef SCHANNEL_NAMES_H
#define SCHANNEL_NAMES_H

/* Provider and key type */
#define SCHANNEL_PROVIDER_NAME "schannel"          /* module and provider name */
#define SCHANNEL_PROPERTIES    "provider=schannel" /* property on every algorithm */
#define SCHANNEL_KEY_TYPE      "SCHANNEL"          /* KEYMGMT, ENCODER and DECODER name */
#define SCHANNEL_STORE_SCHEME  "schannel"          /* OSSL_STORE: schannel:PATH?name=value&... */

/* EVP_KDF */
#define SCHANNEL_KDF_PCT1           "PCT1-KDF"       /* PCT 1.0, draft-benaloh-pct-00 */
#define SCHANNEL_KDF_SSL2           "SSL2-KDF"       /* SSL 2.0, draft-hickman-netscape-ssl-00 */
#define SCHANNEL_KDF_SSL3           "SSL3-KDF"       /* SSL 3.0, RFC 6101 */
#define SCHANNEL_KDF_TLS1           "TLS1-KDF"       /* TLS 1.0 and 1.1, RFC 2246 */
#define SCHANNEL_KDF_CRYPTDERIVEKEY "CRYPTDERIVEKEY" /* CryptoAPI's keys from passwords: old data */

/* EVP_CIPHER */
#define SCHANNEL_CIPHER_RC4          "SCHANNEL-RC4"     /* 40 to 128 bits, resumable */
#define SCHANNEL_CIPHER_RC2_CBC      "SCHANNEL-RC2-CBC" /* with effective-bits */
#define SCHANNEL_CIPHER_DES_CBC      "SCHANNEL-DES-CBC"
#define SCHANNEL_CIPHER_DES_EDE_CBC  "SCHANNEL-DES-EDE-CBC"  /* two-key triple DES */
#define SCHANNEL_CIPHER_DES_EDE3_CBC "SCHANNEL-DES-EDE3-CBC" /* three-key triple DES */
#define SCHANNEL_CIPHER_AES_128_CBC  "SCHANNEL-AES-128-CBC"
#define SCHANNEL_CIPHER_AES_192_CBC  "SCHANNEL-AES-192-CBC"
#define SCHANNEL_CIPHER_AES_256_CBC  "SCHANNEL-AES-256-CBC"

/* EVP_MAC */
#define SCHANNEL_MAC_PCT1 "PCT1-MAC" /* H(k || H(data)), or over PCT 1.0 records */
#define SCHANNEL_MAC_SSL2 "SSL2-MAC" /* MD5(k || data), or over SSL 2.0 records */
#define SCHANNEL_MAC_SSL3 "SSL3-MAC" /* the keyed hash of SSL 3.0, or over its records */
#define SCHANNEL_MAC_TLS1 "TLS1-MAC" /* HMAC, raw or over TLS 1.0 records */

/* Values of the parameter "alg" */
#define SCHANNEL_ALG_PCT1_MASTER  "PCT1-MASTER"  /* master key of PCT 1.0, 16 bytes */
#define SCHANNEL_ALG_SSL2_MASTER  "SSL2-MASTER"  /* master key of SSL 2.0, 5 to 32 bytes */
#define SCHANNEL_ALG_SSL3_MASTER  "SSL3-MASTER"  /* premaster or master secret of SSL 3.0 */
#define SCHANNEL_ALG_TLS1_MASTER  "TLS1-MASTER"  /* premaster or master secret of TLS 1.0 and 1.1 */
#define SCHANNEL_ALG_RC4          "RC4"          /* 40 to 128 bits */
#define SCHANNEL_ALG_RC2_CBC      "RC2-CBC"      /* 40 to 128 bits */
#define SCHANNEL_ALG_DES_CBC      "DES-CBC"      /* 64 bits with parity */
#define SCHANNEL_ALG_DES_EDE_CBC  "DES-EDE-CBC"  /* 128 bits with parity */
#define SCHANNEL_ALG_DES_EDE3_CBC "DES-EDE3-CBC" /* 192 bits with parity */
#define SCHANNEL_ALG_AES_128_CBC  "AES-128-CBC"
#define SCHANNEL_ALG_AES_192_CBC  "AES-192-CBC"
#define SCHANNEL_ALG_AES_256_CBC  "AES-256-CBC"
#define SCHANNEL_ALG_PCT1_MAC     "PCT1-MAC" /* with digest MD5 or SHA1 */
#define SCHANNEL_ALG_SSL2_MAC     "SSL2-MAC" /* the bytes of a write key */
#define SCHANNEL_ALG_SSL3_MAC     "SSL3-MAC" /* with digest MD5 or SHA1 */
#define SCHANNEL_ALG_TLS1_MAC     "TLS1-MAC" /* with digest MD5 or SHA1 */

/* Values of the parameter "usage": session keys from a master; KDF output */
#define SCHANNEL_USAGE_CLIENT_WRITE_KEY "client-write-key" /* CALG_SCHANNEL_ENC_KEY */
#define SCHANNEL_USAGE_SERVER_WRITE_KEY "server-write-key" /* the same with CRYPT_SERVER */
#define SCHANNEL_USAGE_CLIENT_WRITE_MAC "client-write-mac" /* CALG_SCHANNEL_MAC_KEY */
#define SCHANNEL_USAGE_SERVER_WRITE_MAC "server-write-mac" /* the same with CRYPT_SERVER */
#define SCHANNEL_USAGE_CLIENT_WRITE_IV  "client-write-iv"  /* KDF only */
#define SCHANNEL_USAGE_SERVER_WRITE_IV  "server-write-iv"  /* KDF only */
#define SCHANNEL_USAGE_MASTER_SECRET    "master-secret"    /* KDF only, from a premaster */
#define SCHANNEL_USAGE_KEY_BLOCK        "key-block"        /* KDF (its default), EVP_PKEY_derive */
#define SCHANNEL_USAGE_PRF              "prf"              /* the same, with label and seed */
#define SCHANNEL_USAGE_CLIENT_FINISHED  "finished-client"  /* the same, with the handshake */
#define SCHANNEL_USAGE_SERVER_FINISHED  "finished-server"  /* the same, with the handshake */
#define SCHANNEL_USAGE_KEY              "key"              /* CRYPTDERIVEKEY: its default */
#define SCHANNEL_USAGE_CIPHER_KEY       "cipher-key"       /* CRYPTDERIVEKEY: key || salt */
#define SCHANNEL_USAGE_CERTIFICATE_VERIFY                                                          \
    "certificate-verify" /* the same, of SSL 3.0: what its client signs */

/* Parameters of keys and derivations */
#define SCHANNEL_PARAM_ALG             "alg"             /* UTF-8: what a key is */
#define SCHANNEL_PARAM_BITS            "bits"            /* integer: key size in bits */
#define SCHANNEL_PARAM_KIND            "kind"            /* UTF-8, get: master, cipher or mac */
#define SCHANNEL_PARAM_SECRET          "secret"          /* octets: master secret or key bytes */
#define SCHANNEL_PARAM_PREMASTER       "premaster"       /* octets: premaster secret */
#define SCHANNEL_PARAM_CLIENT_RANDOM   "client-random"   /* octets: KP_CLIENT_RANDOM */
#define SCHANNEL_PARAM_SERVER_RANDOM   "server-random"   /* octets: KP_SERVER_RANDOM */
#define SCHANNEL_PARAM_RELAXED_RANDOMS "relaxed-randoms" /* integer 1: randoms of 1..64 bytes */
#define SCHANNEL_PARAM_CLEAR_KEY       "clear-key"       /* octets: KP_CLEAR_KEY, PCT1 and SSL2 */
#define SCHANNEL_PARAM_CERTIFICATE     "certificate"     /* octets: KP_CERTIFICATE, PCT1 */
#define SCHANNEL_PARAM_HIGHEST_VERSION "highest-version" /* integer: KP_HIGHEST_VERSION */
#define SCHANNEL_PARAM_SSL2_DES_DIGIT  "ssl2-des-digit"  /* integer: see SSL2-KDF, default 1 */
#define SCHANNEL_PARAM_PCT_RAW_DES     "pct-raw-des"     /* integer: see PCT1-KDF, default 0 */
#define SCHANNEL_PARAM_CIPHER          "cipher"          /* UTF-8: bulk cipher to derive for */
#define SCHANNEL_PARAM_CIPHER_BITS     "cipher-bits"     /* integer: its secret bits */
#define SCHANNEL_PARAM_EXPORT          "export"          /* integer 1: INTERNATIONAL_USAGE */
#define SCHANNEL_PARAM_DIGEST          "digest"          /* UTF-8: MD5, SHA1; passwords: more */
#define SCHANNEL_PARAM_MAC_BITS        "mac-bits"        /* integer: MAC key bits */
#define SCHANNEL_PARAM_USAGE           "usage"           /* UTF-8: one of SCHANNEL_USAGE_... */
#define SCHANNEL_PARAM_IV              "iv"              /* octets: chaining value; set: KP_IV */
#define SCHANNEL_PARAM_EFFECTIVE_BITS  "effective-bits"  /* integer: KP_EFFECTIVE_KEYLEN of RC2 */
#define SCHANNEL_PARAM_SALT            "salt"            /* 11 octets: KP_SALT of a 40-bit key */
#define SCHANNEL_PARAM_SALT_MODE       "salt-mode"       /* UTF-8: none, zero or create */
#define SCHANNEL_PARAM_PASS            "pass"            /* octets or UTF-8: the password */
#define SCHANNEL_PARAM_HASH            "hash"            /* octets: its hash, instead of pass */
#define SCHANNEL_PARAM_SEQUENCE        "sequence"        /* integer: number of the next record */
#define SCHANNEL_PARAM_EXPORTABLE      "exportable"      /* integer: CRYPT_EXPORTABLE */
#define SCHANNEL_PARAM_KEY_HANDLE      "key-handle"      /* 16 octets: names a live key */
#define SCHANNEL_PARAM_KEY_ID          "key-id"          /* UTF-8, get: short public identifier */
#define SCHANNEL_PARAM_DEFAULT_DIGEST  "default-digest"  /* UTF-8, get: digest of a MAC key */
#define SCHANNEL_PARAM_FORK            "fork"            /* UTF-8: refuse or allow */
#define SCHANNEL_PARAM_RETIRE          "retire"          /* integer 1, set: CryptDestroyKey */
#define SCHANNEL_PARAM_OPAQUE_BLOB     "opaque-blob"     /* octets: the sealed blob */

/* Parameters of a KDF and of EVP_PKEY_derive */
#define SCHANNEL_PARAM_LABEL          "label"          /* octets: PRF label */
#define SCHANNEL_PARAM_KEYLEN         "keylen"         /* integer: length, EVP_PKEY_derive only */
#define SCHANNEL_PARAM_SEED           "seed"           /* octets: PRF seed */
#define SCHANNEL_PARAM_HANDSHAKE      "handshake"      /* octets: the handshake messages */
#define SCHANNEL_PARAM_HANDSHAKE_HASH "handshake-hash" /* 36 octets: MD5 || SHA-1 of them */

/* Parameters of a record MAC */
#define SCHANNEL_PARAM_RECORD_MODE    "record-mode"    /* integer: records, not plain bytes */
#define SCHANNEL_PARAM_RECORD_TYPE    "record-type"    /* integer: content type; record mode on */
#define SCHANNEL_PARAM_RECORD_VERSION "record-version" /* integer: 0x0301 for TLS 1.0 */
#define SCHANNEL_PARAM_RECORD_LENGTH  "record-length"  /* integer: length of the next record */

/* Parameters of EVP_PKEY_encrypt and EVP_PKEY_decrypt */
#define SCHANNEL_PARAM_FINAL       "final"       /* integer: Final of CryptEncrypt, default 1 */
#define SCHANNEL_PARAM_FINAL_RESET "final-reset" /* integer 1: RC4 starts again after a message */

/* The provider's section of openssl.cnf, beside seal-key and claim-dir */
#define SCHANNEL_CONFIG_TRACE "trace" /* diagnostics to a file, or "stderr"; SCHANNEL_TRACE */

/* Options of export and import: encoder, decoder and key parameters */
#define SCHANNEL_PARAM_BLOB      "blob"      /* UTF-8: blob type of an export */
#define SCHANNEL_PARAM_BLOB_MODE "blob-mode" /* UTF-8: snapshot or transfer */
#define SCHANNEL_PARAM_SEAL_KEY  "seal-key"  /* UTF-8: file:PATH, fd:N, user or runtime */
#define SCHANNEL_PARAM_LIFETIME  "lifetime"  /* integer: seconds that a transfer lives */
#define SCHANNEL_PARAM_AUDIENCE  "audience"  /* UTF-8: who may open a transfer */
#define SCHANNEL_PARAM_CLAIM_DIR "claim-dir" /* UTF-8: where opened transfers are recorded */

#define SCHANNEL_PARAM_EXCHANGE_KEY                                                                \
    "exchange-key"                                     /* UTF-8: file or URI of an RSA key, several
                                                            with commas; octets: one public key */
#define SCHANNEL_PARAM_PAD_MODE        "pad-mode"      /* UTF-8: pkcs1 or oaep */
#define SCHANNEL_PARAM_SSL2_FALLBACK   "ssl2-fallback" /* integer 1: CRYPT_SSL2_FALLBACK */
#define SCHANNEL_PARAM_ALLOW_PLAINTEXT "allow-plaintext" /* integer 1: a plaintextblob is meant */
#define SCHANNEL_PARAM_SIGNATURE_KEY                                                               \
    "signature-key"                                  /* UTF-8: file or URI of the signer's key;
                                                            octets: its public key */
#define SCHANNEL_PARAM_INNER         "inner"         /* UTF-8: blob type inside a signedblob */
#define SCHANNEL_PARAM_PURPOSE       "purpose"       /* UTF-8: of a signedblob, default storage */
#define SCHANNEL_PARAM_SERIAL        "serial"        /* 1 to 32 octets: written, signed */
#define SCHANNEL_PARAM_EXPECT_SERIAL "expect-serial" /* octets: the serial that must be there */
#define SCHANNEL_PARAM_MESSAGE_HASH  "message-hash"  /* 1 to 64 octets: written, or expected */
#define SCHANNEL_PARAM_MAX_AGE       "max-age"       /* integer: seconds since the signature */

/* Values of "blob-mode" and "fork" */
#define SCHANNEL_BLOB_MODE_SNAPSHOT "snapshot" /* opens any number of times; the default */
#define SCHANNEL_BLOB_MODE_TRANSFER "transfer" /* opens once, expires */
#define SCHANNEL_FORK_REFUSE        "refuse"   /* a forked child cannot advance the key */
#define SCHANNEL_FORK_ALLOW         "allow"

/* Values of "salt-mode" and "pad-mode", and the default of "purpose" */
#define SCHANNEL_SALT_MODE_NONE   "none"    /* the key bytes alone */
#define SCHANNEL_SALT_MODE_ZERO   "zero"    /* 11 zero bytes behind a key of 40 bits */
#define SCHANNEL_SALT_MODE_CREATE "create"  /* 11 other bytes; not on import */
#define SCHANNEL_PAD_MODE_PKCS1   "pkcs1"   /* RSAES-PKCS1-v1_5; the default */
#define SCHANNEL_PAD_MODE_OAEP    "oaep"    /* RSAES-OAEP with SHA-1: CRYPT_OAEP */
#define SCHANNEL_PURPOSE_STORAGE  "storage" /* what a signed blob is for unless it says otherwise */

/* Blob types and PEM labels */
#define SCHANNEL_BLOB_OPAQUE         "opaqueblob"    /* sealed, with all its state */
#define SCHANNEL_BLOB_SIMPLE         "simpleblob"    /* SIMPLEBLOB: under an RSA key */
#define SCHANNEL_BLOB_PLAINTEXT      "plaintextblob" /* PLAINTEXTKEYBLOB: key bytes */
#define SCHANNEL_BLOB_SIGNED         "signedblob"    /* others inside, signed */
#define SCHANNEL_PEM_LABEL_OPAQUE    "SCHANNEL OPAQUE KEY BLOB"
#define SCHANNEL_PEM_LABEL_SIMPLE    "SCHANNEL SIMPLE KEY BLOB"
#define SCHANNEL_PEM_LABEL_PLAINTEXT "SCHANNEL PLAINTEXT KEY BLOB"
#define SCHANNEL_PEM_LABEL_SIGNED    "SCHANNEL SIGNED KEY BLOB"

#endif
