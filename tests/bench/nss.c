/*
 * NSS softoken's derivation: see nss.h.
 *
 * C_DeriveKey with CKM_TLS_KEY_AND_MAC_DERIVE makes the four objects in one call.  It is called in
 * the module itself: NSS's own wrappers around it would only add to its time.
 */
#include "nss.h"

#include <nss.h>
#include <pk11pub.h>
#include <pkcs11.h>
#include <secmod.h>
#include <openssl/crypto.h>
#include "material.h"

#define MAC_BITS 160
#define KEY_BITS 128
#define IV_BITS  128

struct softoken {
    NSSInitContext *nss;
    CK_FUNCTION_LIST_PTR functions;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE master;
    unsigned char random[RANDOM_SIZE];
};

static CK_OBJECT_HANDLE make_nss_master(const struct softoken *token)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof(class) },
                                { CKA_KEY_TYPE, &type, sizeof(type) },
                                { CKA_DERIVE, &yes, sizeof(yes) },
                                { CKA_VALUE, (void *)(uintptr_t)known_master, MASTER_SIZE } };
    CK_OBJECT_HANDLE master;

    if (token->functions->C_CreateObject(token->session, template,
                                         sizeof(template) / sizeof(template[0]), &master) != CKR_OK)
        die("NSS: C_CreateObject");
    return master;
}

static void *open_softoken(const struct job *job)
{
    struct softoken *token = OPENSSL_zalloc(sizeof(*token));
    PK11SlotInfo *slot;

    if (token == NULL ||
        (token->nss = NSS_InitContext("", "", "", "", NULL,
                                      NSS_INIT_READONLY | NSS_INIT_NOCERTDB | NSS_INIT_NOMODDB |
                                          NSS_INIT_FORCEOPEN | NSS_INIT_NOROOTINIT)) == NULL ||
        (slot = PK11_GetInternalSlot()) == NULL)
        die(job->name);
    token->functions = PK11_GetModule(slot)->functionList;
    if (token->functions->C_OpenSession(PK11_GetSlotID(slot), CKF_SERIAL_SESSION, NULL, NULL,
                                        &token->session) != CKR_OK)
        die("NSS: C_OpenSession");
    PK11_FreeSlot(slot);
    token->master = make_nss_master(token);
    return token;
}

static void derive_four(struct softoken *token, CK_OBJECT_HANDLE made[KEY_COUNT])
{
    unsigned char iv[2][IV_BITS / 8];
    CK_SSL3_KEY_MAT_OUT out = { .pIVClient = iv[0], .pIVServer = iv[1] };
    CK_SSL3_KEY_MAT_PARAMS params = {
        .ulMacSizeInBits = MAC_BITS,
        .ulKeySizeInBits = KEY_BITS,
        .ulIVSizeInBits = IV_BITS,
        .bIsExport = CK_FALSE,
        .RandomInfo = { .pClientRandom = token->random,
                        .ulClientRandomLen = RANDOM_SIZE,
                        .pServerRandom = (unsigned char *)(uintptr_t)known_random,
                        .ulServerRandomLen = RANDOM_SIZE },
        .pReturnedKeyMaterial = &out,
    };
    CK_MECHANISM mechanism = { CKM_TLS_KEY_AND_MAC_DERIVE, &params, sizeof(params) };
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG size = KEY_BITS / 8;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof(class) },
                                { CKA_KEY_TYPE, &type, sizeof(type) },
                                { CKA_VALUE_LEN, &size, sizeof(size) },
                                { CKA_ENCRYPT, &yes, sizeof(yes) },
                                { CKA_DECRYPT, &yes, sizeof(yes) } };

    if (token->functions->C_DeriveKey(token->session, &mechanism, token->master, template,
                                      sizeof(template) / sizeof(template[0]), NULL) != CKR_OK)
        die("NSS: C_DeriveKey");
    made[0] = out.hClientKey;
    made[1] = out.hServerKey;
    made[2] = out.hClientMacSecret;
    made[3] = out.hServerMacSecret;
}

static void run_softoken(void *state, size_t count)
{
    struct softoken *token = state;
    CK_OBJECT_HANDLE made[KEY_COUNT];

    for (; count != 0; count--) {
        token->random[0]++;
        derive_four(token, made);
        for (size_t n = 0; n < KEY_COUNT; n++) {
            if (token->functions->C_DestroyObject(token->session, made[n]) != CKR_OK)
                die("NSS: C_DestroyObject");
        }
    }
}

static void close_softoken(void *state)
{
    struct softoken *token = state;

    token->functions->C_CloseSession(token->session);
    NSS_ShutdownContext(token->nss);
    OPENSSL_free(token);
}

int nss_job(struct job *job)
{
    *job = (struct job){
        "NSS softoken", open_softoken, run_softoken, close_softoken, NULL, NULL, 0, 0
    };
    return 1;
}

const char *nss_why_not(void)
{
    return "";
}
