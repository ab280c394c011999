/* An RSA key and its certificate, see identity.h. */
#include "identity.h"

#include <string.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define RSA_BITS 2048u
#define LIFETIME (24 * 60 * 60)
#define SKEW     (-60 * 60) /* a peer's clock may be late */

static int fill(X509 *certificate, X509_NAME *name, EVP_PKEY *key)
{
    return X509_set_version(certificate, X509_VERSION_3) &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), SKEW) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), LIFETIME) != NULL &&
           X509_set_pubkey(certificate, key) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1",
                                      -1, -1, 0) &&
           X509_set_subject_name(certificate, name) && X509_set_issuer_name(certificate, name) &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

int identity_certify(struct identity *identity)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    int size = -1;

    if (certificate != NULL && name != NULL && fill(certificate, name, identity->key))
        size = i2d_X509(certificate, &identity->certificate);
    X509_NAME_free(name);
    X509_free(certificate);
    if (size <= 0)
        return 0;
    identity->certificate_size = (size_t)size;
    return 1;
}

int identity_make(OSSL_LIB_CTX *libctx, struct identity *identity)
{
    memset(identity, 0, sizeof(*identity));
    identity->key = EVP_PKEY_Q_keygen(libctx, NULL, "RSA", (size_t)RSA_BITS);
    if (identity->key != NULL && identity_certify(identity))
        return 1;
    identity_free(identity);
    return 0;
}

void identity_free(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    OPENSSL_free(identity->certificate);
    memset(identity, 0, sizeof(*identity));
}
