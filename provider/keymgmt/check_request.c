/* Does what a request asks for fit together?  See request.h. */
#include "keymgmt/request.h"

#include "schannel/names.h"

int request_check_digest(const struct provctx *provctx, const struct request *request)
{
    return request->password.digest[0] == '\0' || request->derivation.digest != DIGEST_NONE ||
           RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                 "digest: expected MD5 or SHA1, got \"%s\"", request->password.digest);
}

static int check_password(const struct provctx *provctx, const struct request *request)
{
    const char *name = password_given(&request->password);

    if (name == NULL && request->algorithm->kind == KEY_KIND_CIPHER)
        return request->password.digest[0] == '\0' ||
               RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "digest: belongs to a password, a master key or a derivation from one, and "
                     "none is given for this %s key",
                     request->algorithm->name);
    if (name == NULL)
        return request_check_digest(provctx, request);
    if (request->algorithm->kind != KEY_KIND_CIPHER)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: keys of ciphers are made from passwords, but not %s keys", name,
                     request->algorithm->name);
    return request->secret == NULL || RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                                            "%s: excludes secret, which is the key itself", name);
}

int request_check(const struct provctx *provctx, const struct request *request)
{
    const struct key_algorithm *algorithm = request->algorithm;
    const int has_digest =
        algorithm->kind == KEY_KIND_MAC || password_given(&request->password) != NULL;
    const char *name;

    if (!check_password(provctx, request))
        return 0;
    if (request->premaster != NULL && algorithm->kind != KEY_KIND_MASTER)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "premaster: %s keys have none, give their bytes as secret", algorithm->name);
    if (request->premaster != NULL && !protocol_rules(algorithm->protocol)->has_premaster)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "premaster: %s has none, give the master key as secret",
                     key_protocol_name(algorithm->protocol));
    if (request->highest_version != 0 &&
        (algorithm->kind != KEY_KIND_MASTER || !protocol_rules(algorithm->protocol)->has_premaster))
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "highest-version: belongs to masters of SSL 3.0 and TLS 1.0, not to %s keys",
                     algorithm->name);
    if (request->effective_bits != 0 && algorithm->cipher != BULK_CIPHER_RC2)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "effective-bits: belongs to RC2 keys, not to %s keys", algorithm->name);
    if (request->premaster != NULL && request->secret != NULL)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "premaster: excludes secret, which is the master secret");
    if ((request->salt_mode != SALT_MODE_DEFAULT || request->salt_size != 0) &&
        algorithm->kind != KEY_KIND_CIPHER)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: %s keys have no salt, leave it out",
                     request->salt_size != 0 ? SCHANNEL_PARAM_SALT : SCHANNEL_PARAM_SALT_MODE,
                     algorithm->name);
    if (request->salt_mode != SALT_MODE_DEFAULT && request->salt_size != 0)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "salt-mode: excludes salt, which is the salt itself");
    name = derivation_given(&request->derivation, has_digest);
    if (name != NULL && algorithm->kind != KEY_KIND_MASTER)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: belongs to masters and derivations from them, not to %s keys", name,
                     algorithm->name);
    return 1;
}

int request_check_opaque(const struct provctx *provctx, const struct request *request)
{
    const char *name = derivation_given(&request->derivation, 0);

    if (request->algorithm != NULL)
        name = SCHANNEL_PARAM_ALG;
    else if (request->bits != 0)
        name = SCHANNEL_PARAM_BITS;
    else if (request->secret != NULL)
        name = SCHANNEL_PARAM_SECRET;
    else if (request->premaster != NULL)
        name = SCHANNEL_PARAM_PREMASTER;
    else if (request->password.digest[0] != '\0')
        name = SCHANNEL_PARAM_DIGEST;
    else if (request->salt_size != 0)
        name = SCHANNEL_PARAM_SALT;
    else if (request->salt_mode != SALT_MODE_DEFAULT)
        name = SCHANNEL_PARAM_SALT_MODE;
    else if (request->effective_bits != 0)
        name = SCHANNEL_PARAM_EFFECTIVE_BITS;
    else if (request->highest_version != 0)
        name = SCHANNEL_PARAM_HIGHEST_VERSION;
    return name == NULL ||
           RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "opaque-blob: holds the whole key, %s cannot be given beside it", name);
}
