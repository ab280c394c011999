/*
 * Keys of other providers that an export or import names: exchange-key and signature-key.
 *
 * A key is named by a file or URI that some OSSL_STORE loader knows, or given as its
 * SubjectPublicKeyInfo.  It is opened in the provider's child library context, where the
 * application's other providers are; a private key is used where it lives and never exported.
 * While one is being opened our own decoders and store, which are visible there too, stay out of
 * it: what they would open is no such key, and could name itself.
 * Called by blob/simple and blob/signed; the question by decoder/ and store/.
 */
#ifndef SCHANNEL_BLOB_KEY_ARGUMENT_H
#define SCHANNEL_BLOB_KEY_ARGUMENT_H

#include <openssl/types.h>
#include "blob/passphrase.h"
#include "key/options.h"
#include "provctx.h"

/* Knows which threads are opening a key. */
struct inner_opens;

/* NULL when memory is out. */
struct inner_opens *inner_opens_new(void);
void inner_opens_free(struct inner_opens *opens);
/* 1 when the calling thread is opening a key for us. */
int inner_open_is_active(const struct provctx *provctx);

enum key_half { KEY_HALF_PUBLIC, KEY_HALF_PRIVATE };

/*
 * Opens the key that |argument|, called |name| in errors, names; *key is NULL when it names none.
 * The public half may come from a certificate, a public or a private key, and then is the public
 * half alone; the private one comes from a private key only.  |passphrase| is asked when a file is
 * encrypted.  1, or 0 with a reason raised and nothing to free.
 */
int key_argument_open(struct provctx *provctx, const struct key_argument *argument,
                      const char *name, enum key_half half,
                      const struct passphrase_source *passphrase, EVP_PKEY **key);
/*
 * The same of a list, whose names stand between commas: 0 to |most|, of which *count are at |keys|;
 * key_arguments_free frees them.
 */
int key_arguments_open(struct provctx *provctx, const struct key_argument *argument,
                       const char *name, enum key_half half,
                       const struct passphrase_source *passphrase, size_t most, EVP_PKEY **keys,
                       size_t *count);
void key_arguments_free(EVP_PKEY **keys, size_t count);

/*
 * Whoever starts an operation with a private key gives libcrypto these properties and looks
 * afterwards where the operation runs.  Without them libcrypto takes the first provider that offers
 * the algorithm and exports the key to it; a token that answers with the public half alone is then
 * taken for a key that does not fit.
 */
#define KEY_ARGUMENT_PROPERTIES_SIZE 128

/* The query that prefers the provider of |key|. */
void key_argument_properties(const EVP_PKEY *key, char text[KEY_ARGUMENT_PROPERTIES_SIZE]);
/* 1 when |operation| has been initialised in the provider of |key|. */
int key_argument_stays(const EVP_PKEY *key, const EVP_PKEY_CTX *operation);

#endif
