/*
 * The low-level MD5, SHA-1 and SHA-256 that primitive/digest and primitive/hkdf are made of:
 * libcrypto's own, which are fast and whose states are public, or, where a build of libcrypto lacks
 * them, primitive/plain_digest under their names.
 */
#ifndef SCHANNEL_PRIMITIVE_LOW_LEVEL_H
#define SCHANNEL_PRIMITIVE_LOW_LEVEL_H

#include <openssl/md5.h>
#include <openssl/opensslconf.h>
#include <openssl/sha.h>

#if defined(OPENSSL_NO_DEPRECATED_3_0) || defined(OPENSSL_NO_MD5)
#define SCHANNEL_PLAIN_DIGESTS
#endif

#ifdef SCHANNEL_PLAIN_DIGESTS
#include "primitive/plain_digest.h"

#ifndef MD5_DIGEST_LENGTH
#define MD5_DIGEST_LENGTH 16
#endif
#define MD5_CTX        struct plain_md5
#define MD5_Init       plain_md5_init
#define MD5_Update     plain_md5_update
#define MD5_Final      plain_md5_final
#define MD5_Transform  plain_md5_transform
#define SHA_CTX        struct plain_sha1
#define SHA1_Init      plain_sha1_init
#define SHA1_Update    plain_sha1_update
#define SHA1_Final     plain_sha1_final
#define SHA1_Transform plain_sha1_transform
#ifndef SHA256_CBLOCK
#define SHA256_CBLOCK 64
#endif
#define SHA256_CTX    struct plain_sha256
#define SHA256_Init   plain_sha256_init
#define SHA256_Update plain_sha256_update
#define SHA256_Final  plain_sha256_final
#endif

#endif
