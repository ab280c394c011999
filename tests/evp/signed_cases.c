/* What the golden signed blobs are: see signed_cases.h. */
#include "signed_cases.h"

#define SIXTEEN                                                                                    \
    "rsa512", "rsa768", "rsa1024a", "rsa1024b", "rsa1536", "rsa2048a", "rsa2048b", "rsa4096",      \
        "rsa512", "rsa768", "rsa1024a", "rsa1024b", "rsa1536", "rsa2048a", "rsa2048b", "rsa4096"

const struct signed_case signed_cases[] = {
    { "rsa-opaque", "rsa", INNER_OPAQUE, "AES-128-CBC", 16, { NULL }, 0, 0, 0 },
    { "rsa-simple", "rsa", INNER_SIMPLE, "RC4", 16, { "rsa1024a" }, 0, 8, 32 },
    { "rsa-plaintext", "rsa", INNER_PLAINTEXT, "DES-EDE3-CBC", 24, { NULL }, 7, 0, 0 },
    { "ec-opaque", "ec", INNER_OPAQUE, "AES-128-CBC", 16, { NULL }, 0, 16, 20 },
    { "ec-simple", "ec", INNER_SIMPLE, "AES-256-CBC", 32, { "rsa2048b" }, 11, 0, 0 },
    { "ec-plaintext", "ec", INNER_PLAINTEXT, "RC2-CBC", 16, { NULL }, 0, 1, 1 },
    { "ed25519-opaque", "ed25519", INNER_OPAQUE, "AES-128-CBC", 16, { NULL }, 64, 32, 64 },
    { "ed25519-simple", "ed25519", INNER_SIMPLE, "TLS1-MASTER", 48, { "rsa512" }, 1, 0, 0 },
    { "ed25519-plaintext", "ed25519", INNER_PLAINTEXT, "SSL2-MASTER", 5, { NULL }, 0, 0, 0 },
    { "ed448-opaque", "ed448", INNER_OPAQUE, "AES-128-CBC", 16, { NULL }, 0, 0, 0 },
    { "two-receivers", "ed25519", INNER_SIMPLE, "DES-CBC", 8, { "rsa1024a", "rsa1024b" }, 0, 0, 0 },
    { "sixteen-receivers", "ec", INNER_SIMPLE, "SSL3-MASTER", 48, { SIXTEEN }, 0, 0, 0 },
};

const size_t signed_case_count = COUNT(signed_cases);

const struct signed_case *signed_case_named(const char *name)
{
    for (size_t n = 0; n < signed_case_count; n++) {
        if (strcmp(signed_cases[n].name, name) == 0)
            return &signed_cases[n];
    }
    fail_msg("no case %s", name);
    return NULL;
}

void signed_case_octets(const struct signed_case *golden, const char *label, size_t size,
                        uint8_t *out)
{
    uint8_t hash[64];
    char text[128];
    const int length = snprintf(text, sizeof(text), "%s %s", golden->name, label);

    assert_int_equal(EVP_Digest(text, (size_t)length, hash, NULL, EVP_sha512(), NULL), 1);
    assert_in_range(size, 0, sizeof(hash));
    memcpy(out, hash, size);
}

void signed_case_key(const struct signed_case *golden, uint8_t key[MAX_KEY_BYTES])
{
    signed_case_octets(golden, "key", golden->key_size, key);
}

void signed_case_purpose(const struct signed_case *golden, char purpose[65])
{
    static const char text[] = "backup of the session keys of the recording gateway, second half";

    assert_int_equal(sizeof(text), 65);
    snprintf(purpose, 65, "%.*s", golden->purpose_size != 0 ? (int)golden->purpose_size : 7,
             golden->purpose_size != 0 ? text : "storage");
}

/* ---- what is inside ---- */

static size_t put_header(uint8_t *out, uint8_t type, const char *alg, size_t size)
{
    const uint32_t alg_id = alg_id_of(alg);
    const uint8_t header[] = {
        type, 2, 0, 0, (uint8_t)alg_id, (uint8_t)(alg_id >> 8), 0, 0, (uint8_t)size, 0, 0, 0
    };

    memcpy(out, header, sizeof(header));
    return sizeof(header);
}

static struct octets make_plaintext(const struct signed_case *golden)
{
    static uint8_t blob[MAX_EXCHANGED];
    const size_t header_size = put_header(blob, 8, golden->alg, golden->key_size);

    signed_case_key(golden, blob + header_size);
    return (struct octets){ blob, header_size + golden->key_size };
}

static void put_simple(const struct signed_case *golden, struct signed_format *format)
{
    static uint8_t blobs[16][MAX_EXCHANGED];
    uint8_t key[MAX_KEY_BYTES];

    signed_case_key(golden, key);
    for (size_t n = 0; golden->recipients[n] != NULL; n++) {
        const size_t size = rsa_seal(rsa_key_named(golden->recipients[n]), alg_id_of(golden->alg),
                                     (struct octets){ key, golden->key_size }, blobs[n]);

        format->inner[format->inner_count++] = (struct octets){ blobs[n], size };
    }
}

void signed_case_format(const struct signed_case *golden, struct signed_format *format)
{
    static struct golden_bytes opaque;
    static uint8_t serial[64], message_hash[64];
    static char purpose[65];
    const struct signer *signer = signer_named(golden->signer);

    format_start(format, signer->pkey, (struct octets){ signer->spki, signer->spki_size });
    format->created = SIGNED_CREATED;
    signed_case_purpose(golden, purpose);
    signed_case_octets(golden, "serial", golden->serial_size, serial);
    signed_case_octets(golden, "message", golden->message_hash_size, message_hash);
    format->purpose = (struct octets){ (uint8_t *)purpose, strlen(purpose) };
    format->serial = (struct octets){ serial, golden->serial_size };
    format->message_hash = (struct octets){ message_hash, golden->message_hash_size };
    if (golden->inner == INNER_SIMPLE) {
        put_simple(golden, format);
    } else if (golden->inner == INNER_PLAINTEXT) {
        format->inner[format->inner_count++] = make_plaintext(golden);
    } else {
        golden_blob(golden_case_named("aes-128-mid-chain"), &opaque);
        format->inner[format->inner_count++] = (struct octets){ opaque.data, opaque.size };
    }
    format->count = (uint8_t)format->inner_count;
}
