/*
 * PCT1-KDF, SSL2-KDF, SSL3-KDF and what TLS1-KDF shares with them through EVP_KDF: published and
 * computed values, the size of each usage, and everything that is refused: with one reason each,
 * and nothing changed.  The record MACs of the four through EVP_MAC against the values of the spec.
 */
#include "fixture.h"

#include <openssl/kdf.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MAX_PARAMS   32
#define MAX_TEXT     8192
#define MAX_OUTPUT   600
#define ANY_SIZE     SIZE_MAX

/* ---- parameters as text: "NAME=VALUE NAME=VALUE", octets in hex; "-NAME" takes one out ---- */

struct item {
    char *name;
    uint64_t number;
    OSSL_PARAM param;
};

struct request {
    char text[MAX_TEXT];
    size_t used;
    struct item items[MAX_PARAMS];
    size_t count;
    OSSL_PARAM params[MAX_PARAMS + 1];
};

static int is_one_of(const char *name, const char *const *list)
{
    while (*list != NULL && strcmp(*list, name) != 0)
        list++;
    return *list != NULL;
}

static size_t decode_in_place(char *hex)
{
    size_t size = 0;

    for (; hex[2 * size] != '\0'; size++) {
        char digits[3] = { hex[2 * size], hex[2 * size + 1], '\0' };
        char *end = NULL;

        hex[size] = (char)strtoul(digits, &end, 16);
        assert_true(end == digits + 2);
    }
    return size;
}

static OSSL_PARAM item_param(struct item *item, char *value)
{
    static const char *const texts[] = { "usage", "cipher", "digest", NULL };
    static const char *const numbers[] = { "cipher-bits",     "mac-bits",    "export",
                                           "record-version",  "pct-raw-des", "ssl2-des-digit",
                                           "relaxed-randoms", NULL };

    if (is_one_of(item->name, texts))
        return text_param(item->name, value);
    if (!is_one_of(item->name, numbers))
        return octets_param(item->name, value, decode_in_place(value));
    item->number = strtoull(value, NULL, 0);
    return OSSL_PARAM_construct_uint64(item->name, &item->number);
}

static size_t find_item(const struct request *request, const char *name)
{
    size_t n = 0;

    while (n < request->count && strcmp(request->items[n].name, name) != 0)
        n++;
    return n;
}

static void drop_item(struct request *request, const char *name)
{
    const size_t n = find_item(request, name);

    assert_true(n < request->count);
    request->items[n].name = request->text + sizeof(request->text) - 1; /* the empty name */
}

static void add_item(struct request *request, char *name, char *value)
{
    const size_t n = find_item(request, name);

    assert_true(n < MAX_PARAMS);
    request->count += n == request->count;
    request->items[n].name = name;
    request->items[n].param = item_param(&request->items[n], value);
}

/* What |text| says, on top of what was said before. */
static void change(struct request *request, const char *text)
{
    char *word = request->text + request->used, *rest = NULL;
    const size_t size = strlen(text) + 1;

    assert_true(request->used + size < sizeof(request->text));
    memcpy(word, text, size);
    request->used += size;
    for (word = strtok_r(word, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');

        if (*word == '-') {
            drop_item(request, word + 1);
            continue;
        }
        assert_non_null(value);
        *value++ = '\0';
        add_item(request, word, value);
    }
}

static const OSSL_PARAM *params_of(struct request *request)
{
    size_t count = 0;

    for (size_t n = 0; n < request->count; n++) {
        if (*request->items[n].name != '\0')
            request->params[count++] = request->items[n].param;
    }
    request->params[count] = OSSL_PARAM_construct_end();
    return request->params;
}

/* ---- the four protocols: a connection each ---- */

#define B00_07 "0001020304050607"
#define B00_0F B00_07 "08090a0b0c0d0e0f"
#define B10_1F "101112131415161718191a1b1c1d1e1f"
#define B20_2F "202122232425262728292a2b2c2d2e2f"
#define B30_3F "303132333435363738393a3b3c3d3e3f"
#define B40_5F "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
#define B60_7F "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
#define B80_9F "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
#define A0_AA  "a0a1a2a3a4a5a6a7a8a9aa"

/* spec/key-derivation.md 2.10 */
#define PCT1_BASE                                                                                  \
    "secret=" B00_0F " client-random=" B20_2F B30_3F " server-random=" B60_7F                      \
    " certificate=50435420736572766572206365727469666963617465 digest=MD5 mac-bits=128"            \
    " cipher=RC4 cipher-bits=128 usage=client-write-key"
/* 3.7 */
#define SSL2_BASE                                                                                  \
    "secret=" B00_0F " client-random=" B10_1F " server-random=" B30_3F                             \
    " cipher=RC4 cipher-bits=128 usage=client-write-key"
/* 4.5, published */
#define SSL3_PREMASTER                                                                             \
    "premaster="                                                                                   \
    "030043c00615e40ae7fab08f6c95d76ba677309ab80d0254b98421330b9d4621ecc79bd0d76ce3b53ff"          \
    "9641be0fe5b83"
#define SSL3_MASTER                                                                                \
    "f66398c5c484e0c4c1e74b2def629cf9fd493007ce6cb700ad0023a50d2e40b288074f19ac52b6436177d787bb17" \
    "9"                                                                                            \
    "cc4"
#define SSL3_BASE                                                                                  \
    "secret=" SSL3_MASTER                                                                          \
    " client-random=000000000000000000000000000000009006466920816408bab43f9f81fa5b20"              \
    " server-random=340287248eeabdf7c28cfcfe395490bb06fe48b4a207fc9d2ad2d92c848258be"              \
    " digest=MD5 mac-bits=128 cipher=RC4 cipher-bits=40 export=1 usage=client-write-key"
#define SSL3_BLOCK                                                                                 \
    "182a7551f89f5cf95c900d0d762f1e9e33705828f90503855b9dac3963c9e69cd64f8ae7c966ea2d48c080a54d4a" \
    "f2df94d55ab3a6bcd37a00222f638eca51c6649b859b3216005cf291b24020fc613b590e9393146ac279ff41eb07" \
    "c0"                                                                                           \
    "48972c7935a564eb42fa12d18115e010cfa093"
/* 5.3 */
#define TLS1_BASE                                                                                  \
    "secret=" B00_0F B10_1F B20_2F " client-random=" B40_5F " server-random=" B80_9F               \
    " digest=SHA1 mac-bits=160 cipher=RC2-CBC cipher-bits=40 export=1 usage=client-write-key"

/* ref-ssl3-00181 and -00182 of tests/vectors */
#define FINISHED_INPUTS                                                                            \
    " secret=9cfc3b2b96da3b5c3bc63aa8ea86d462659c6a608e7216f31ddc26ea98dac73d33dad368aa8ed7c575ab" \
    "e42ea04327f5 handshake=ba6cf53e419a3ed1f00b85602288dabd608c862eaf05e2bfabe018e30620c309f502f" \
    "a5ca162d71c0e30a360dfb239d22ccfe6ae3fb5def59db5af01bca6563ad392bc89fdf180f79ad17a45c9884525"  \
    "314a871843a277"

static const struct protocol {
    const char *kdf;
    const char *base;
    const char *answer; /* of the base */
} protocols[] = {
    { SCHANNEL_KDF_PCT1, PCT1_BASE, "0df1588924a512237a356e88d7a6358b" },
    { SCHANNEL_KDF_SSL2, SSL2_BASE, "5ee3a45d1cd691391d2573f5d18dd286" },
    { SCHANNEL_KDF_SSL3, SSL3_BASE, "3210cde1d6dc0783f3754c322e599661" },
    { SCHANNEL_KDF_TLS1, TLS1_BASE, "7b951fee17f39477f67298fec48af103" },
};

enum { PCT1, SSL2, SSL3, TLS1 };

static EVP_KDF_CTX *new_context(size_t protocol)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, protocols[protocol].kdf, SCHANNEL_PROPERTIES);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    assert_non_null(context);
    EVP_KDF_free(kdf);
    return context;
}

static void start(struct request *request, size_t protocol, const char *changes)
{
    memset(request, 0, sizeof(*request));
    change(request, protocols[protocol].base);
    change(request, changes);
}

static size_t from_hex(const char *hex, uint8_t *out, size_t room)
{
    char text[2 * MAX_OUTPUT + 1];
    size_t size;

    assert_true(strlen(hex) < sizeof(text));
    strcpy(text, hex);
    size = decode_in_place(text);
    assert_true(size <= room);
    memcpy(out, text, size);
    return size;
}

static void assert_derives(EVP_KDF_CTX *context, const OSSL_PARAM params[], const char *hex)
{
    uint8_t expected[MAX_OUTPUT], out[MAX_OUTPUT + 1];
    const size_t size = from_hex(hex, expected, sizeof(expected));

    memset(out, 0xa5, sizeof(out));
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    assert_memory_equal(out, expected, size);
    assert_int_equal(out[size], 0xa5);
    assert_no_errors();
}

static void assert_refuses(EVP_KDF_CTX *context, const OSSL_PARAM params[], size_t size,
                           const char *reason, const char *detail)
{
    uint8_t out[MAX_OUTPUT], untouched[MAX_OUTPUT];

    memset(out, 0xa5, sizeof(out));
    memset(untouched, 0xa5, sizeof(untouched));
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 0);
    assert_reason(reason, detail);
    assert_memory_equal(out, untouched, sizeof(out));
}

static void set(EVP_KDF_CTX *context, struct request *request)
{
    assert_int_equal(EVP_KDF_CTX_set_params(context, params_of(request)), 1);
    assert_no_errors();
}

/* ---- right answers ---- */

/* |size| is what EVP_KDF_CTX_get_kdf_size says. */
static const struct answer {
    size_t protocol;
    const char *changes, *hex;
    size_t size;
} answers[] = {
    /* PCT 1.0: spec/key-derivation.md 2.10; those behind "computed" by tests/second */
    { PCT1, "", "0df1588924a512237a356e88d7a6358b", 16 },
    { PCT1, "usage=server-write-key", "95b70f1df51290991fa1a8a8ecb7794f", 16 },
    { PCT1, "-cipher-bits", "0df1588924a512237a356e88d7a6358b", 16 },
    { PCT1, "cipher=RC2-CBC", "0df1588924a512237a356e88d7a6358b", 16 },
    { PCT1, "usage=client-write-mac", "f830e44160f64543e7ff6cac72c05403", 16 },
    { PCT1, "usage=server-write-mac", "bb47ad2fd0d9735857d72564797cc46a", 16 },
    { PCT1, "usage=client-write-mac -mac-bits", "f830e44160f64543e7ff6cac72c05403", 16 },
    { PCT1, "usage=client-write-mac mac-bits=160", "f830e44160f64543e7ff6cac72c05403bdf9d36c", 20 },
    { PCT1, "usage=server-write-mac mac-bits=160", "bb47ad2fd0d9735857d72564797cc46a3f96f5c5", 20 },
    { PCT1, "usage=client-write-mac mac-bits=64", "f830e44160f64543", 8 },
    { PCT1, "usage=client-write-mac mac-bits=65",
      "f830e44160f64543"
      "80",
      9 },
    { PCT1, "usage=client-write-mac -cipher -cipher-bits", "f830e44160f64543e7ff6cac72c05403", 16 },
    { PCT1, "usage=client-write-mac digest=SHA1 mac-bits=160",
      "99a3d3d68ae31bed88f8e9cd34b047a769ad0d28", 20 },
    { PCT1, "usage=server-write-mac digest=SHA1 -mac-bits",
      "af6097e87ed76d0fefb5182c61f80e973d115ca6", 20 },
    { PCT1, "cipher-bits=40 clear-key=" A0_AA, "c24f210877b30b983faadfdea6111ddc", 16 },
    { PCT1, "cipher-bits=40 clear-key=" A0_AA " usage=server-write-key",
      "b81664e684bd6283b4a439ddacaa64f4", 16 },
    { PCT1, "cipher-bits=40 export=1 clear-key=" A0_AA, "c24f210877b30b983faadfdea6111ddc", 16 },
    { PCT1, "clear-key=" A0_AA, "0df1588924a512237a356e88d7a6358b", 16 },
    { PCT1, "cipher=DES-CBC cipher-bits=56", "0df8571092259425", 8 },
    { PCT1, "cipher=DES-CBC cipher-bits=64", "0df8571092259425", 8 },
    { PCT1, "cipher=DES-CBC cipher-bits=64 pct-raw-des=0", "0df8571092259425", 8 },
    { PCT1, "cipher=DES-CBC -cipher-bits pct-raw-des=1", "0df1588924a51223", 8 },
    { PCT1, "cipher=DES-CBC cipher-bits=56 pct-raw-des=1", "0df1588924a51223", 8 },
    { PCT1, "cipher=DES-EDE3-CBC cipher-bits=168",
      "0df857109225942523bc8cade9465e4c34c4e34a238619f4", 24 },
    { PCT1, "cipher=DES-EDE3-CBC cipher-bits=192",
      "0df857109225942523bc8cade9465e4c34c4e34a238619f4", 24 },
    /* computed */
    { PCT1, "cipher=DES-EDE3-CBC cipher-bits=168 usage=server-write-key",
      "94dac2e3dfa84a20988fe9348a46b36e79a7f885b69b1a5e", 24 },
    { PCT1, "cipher=DES-EDE3-CBC cipher-bits=40 clear-key=" A0_AA "abacadaeafb0b1b2b3b4b5",
      "c226c82086bccd16981fea5bfdf498231cef313475d3f416", 24 },
    { PCT1, "usage=client-write-mac mac-bits=319",
      "f830e44160f64543e7ff6cac72c05403bdf9d36c59f17812dae26d3e62c1522d5ea6f21345dbdf8c", 40 },

    /* SSL 2.0: 3.7 */
    { SSL2, "", "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "usage=server-write-key", "70e16c433ad6bb6d0dc8c61cb0735d61", 16 },
    { SSL2, "-cipher-bits", "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "cipher-bits=40", "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "cipher=RC2-CBC cipher-bits=40 export=1", "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "digest=MD5 mac-bits=128", "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "secret=0b0c0d0e0f clear-key=000102030405060708090a cipher-bits=40",
      "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "secret=ffffffffffffffffffffff0b0c0d0e0f clear-key=000102030405060708090a",
      "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "clear-key=", "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2, "usage=key-block",
      "70e16c433ad6bb6d0dc8c61cb0735d615ee3a45d1cd691391d2573f5d18dd286"
      "d8f31030c9c048f7f99fd4822d6b835a",
      48 },
    { SSL2, "-usage", "70e16c433ad6bb6d0dc8c61cb0735d615ee3", 48 },
    { SSL2, "usage=key-block -cipher -cipher-bits", "70", 48 },
    { SSL2, "secret=" B00_07 " cipher=DES-CBC cipher-bits=56 usage=server-write-key",
      "0f453b39b89dc271", 8 },
    { SSL2, "secret=" B00_07 " cipher=DES-CBC cipher-bits=64", "0a1138e48249374c", 8 },
    { SSL2, "secret=" B00_07 " cipher=DES-CBC -cipher-bits ssl2-des-digit=1", "0a1138e48249374c",
      8 },
    { SSL2, "secret=" B00_07 " cipher=DES-CBC cipher-bits=64 ssl2-des-digit=0", "8b95ec7462fcdfce",
      8 },
    { SSL2,
      "secret=" B00_07 " cipher=DES-CBC cipher-bits=64 ssl2-des-digit=0 usage=server-write-key",
      "6e78c2879456180f", 8 },
    { SSL2, "secret=" B00_07 " cipher=DES-CBC ssl2-des-digit=0 usage=key-block",
      "6e78c2879456180f8b95ec7462fcdfce", 16 },
    { SSL2, "ssl2-des-digit=0", "5ee3a45d1cd691391d2573f5d18dd286", 16 },
    { SSL2,
      "secret=" B00_0F "1011121314151617 cipher=DES-EDE3-CBC cipher-bits=168"
      " usage=server-write-key",
      "b2052ffcc5583fe56990784c79b856d58c9dee5ca7f0bf60", 24 },
    { SSL2, "secret=" B00_0F "1011121314151617 cipher=DES-EDE3-CBC -cipher-bits",
      "0b4bb3d4d6f9b04ee6f79cd9995d37818a5c42fd9e6e9ffb", 24 },

    /* SSL 3.0: the published trace of 4.5 */
    { SSL3, "", "3210cde1d6dc0783f3754c322e599661", 16 },
    { SSL3, "usage=server-write-key", "ed0e56c8951237b621171c727991121e", 16 },
    { SSL3, "usage=client-write-mac", "182a7551f89f5cf95c900d0d762f1e9e", 16 },
    { SSL3, "usage=server-write-mac -mac-bits -cipher -cipher-bits -export",
      "33705828f90503855b9dac3963c9e69c", 16 },
    { SSL3, "usage=key-block", SSL3_BLOCK, 416 },
    { SSL3, "-usage -digest -mac-bits -cipher -cipher-bits -export", SSL3_BLOCK, 416 },
    { SSL3, "-secret " SSL3_PREMASTER " usage=master-secret", SSL3_MASTER, 48 },
    { SSL3, "-secret " SSL3_PREMASTER, "3210cde1d6dc0783f3754c322e599661", 16 },
    { SSL3, "-secret " SSL3_PREMASTER " usage=key-block", SSL3_BLOCK, 416 },
    { SSL3, "-secret " SSL3_PREMASTER " usage=server-write-mac", "33705828f90503855b9dac3963c9e69c",
      16 },
    { SSL3, "cipher=RC2-CBC usage=client-write-iv", "f1b82d2e5dfb76eb", 8 },
    { SSL3, "cipher=RC2-CBC usage=server-write-iv", "5cd80b03e85cd0d9", 8 },
    { SSL3, "cipher=RC2-CBC export=0 usage=client-write-iv", "80a54d4af2df94d5", 8 },
    { SSL3, "cipher=RC2-CBC -export usage=server-write-iv", "5ab3a6bcd37a0022", 8 },
    { SSL3, "-export", "d64f8ae7c9", 5 },
    { SSL3, "-export usage=server-write-key", "66ea2d48c0", 5 },
    { SSL3, "cipher=DES-CBC", "3210cde1d6dc0783", 8 },
    { SSL3, "cipher=DES-CBC usage=server-write-iv", "5cd80b03e85cd0d9", 8 },
    { SSL3,
      "usage=prf seed=340287248eeabdf7c28cfcfe395490bb06fe48b4a207fc9d2ad2d92c848258be"
      "000000000000000000000000000000009006466920816408bab43f9f81fa5b20",
      SSL3_BLOCK, 416 },
    { SSL3, "usage=finished-client" FINISHED_INPUTS,
      "2dbd37760bb49c62a9e2065ac4191c9d07ebc4cde535c98fa9fbce78dcc77b5ea49e7804", 36 },
    { SSL3, "usage=finished-server -client-random -server-random -cipher -digest" FINISHED_INPUTS,
      "77afacd297c3165c99ae461ccd132011665578d697d3396034ab916c87404d92eae21603", 36 },
    { SSL3, "usage=finished-client" FINISHED_INPUTS, "2dbd37760bb49c62a9e2065a", 36 },
    { SSL3, "usage=certificate-verify" FINISHED_INPUTS,
      "b9d4111adaf3b98b65481e11e05f2292d337b19abd69c7d5e4e4a664a8f3e001146db0e3", 36 },

    /* TLS 1.0: 5.3 */
    { TLS1, "", "7b951fee17f39477f67298fec48af103", 16 },
    { TLS1, "usage=server-write-key", "7b42d600ccc222bb40dce9574152d38a", 16 },
    { TLS1, "cipher=DES-CBC", "7b951fee17f39477", 8 },
    { TLS1, "cipher=DES-CBC usage=server-write-key", "7b42d600ccc222bb", 8 },
    { TLS1, "usage=client-write-iv", "a1954aa00f605f6c", 8 },
    { TLS1, "usage=server-write-iv", "b14dbdf693dd0bd8", 8 },
    { TLS1, "usage=client-write-mac", "c8d7f2a96d11fcf322bc8642653ee7863891bcae", 20 },
    { TLS1, "usage=server-write-mac", "449ecdbf5ead09a4be5a290dff561d90f5daa632", 20 },
    { TLS1, "usage=key-block",
      "c8d7f2a96d11fcf322bc8642653ee7863891bcae449ecdbf5ead09a4be5a290dff561d90f5daa632"
      "9466babd7999acac5a33",
      ANY_SIZE },
    { TLS1, "usage=finished-client handshake=68616e647368616b65", "54a203053070e439e5482ba6",
      ANY_SIZE },
    { TLS1, "usage=finished-server handshake=68616e647368616b65", "b15d7865b01f0dcfd72cd6e7",
      ANY_SIZE },
    { TLS1, "record-version=769", "7b951fee17f39477f67298fec48af103", 16 },
    { TLS1, "-export record-version=770", "9466babd79", 5 },
};

static void the_published_and_computed_values_come_out(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(answers); n++) {
        const struct answer *row = &answers[n];
        EVP_KDF_CTX *context = new_context(row->protocol), *copy;
        struct request request;

        start(&request, row->protocol, row->changes);
        set(context, &request);
        if (EVP_KDF_CTX_get_kdf_size(context) != row->size)
            fail_msg("%s, %s: size %zu, not %zu", protocols[row->protocol].kdf, row->changes,
                     EVP_KDF_CTX_get_kdf_size(context), row->size);
        assert_derives(context, NULL, row->hex);
        copy = EVP_KDF_CTX_dup(context);
        assert_derives(context, NULL, row->hex);
        EVP_KDF_CTX_free(context);
        assert_derives(copy, NULL, row->hex);
        EVP_KDF_CTX_reset(copy);
        assert_derives(copy, params_of(&request), row->hex);
        EVP_KDF_CTX_free(copy);
    }
    print_message("%zu values\n", COUNT(answers));
}

/* ---- the trace to its last record ---- */

/* spec/key-derivation.md 4.5: from the premaster secret to the bytes on the wire. */
static void the_published_ssl3_trace_ends_in_its_encrypted_finished_record(void **state)
{
    static const char finished[] = "14000024f240103f7463eae87a2723565f5907d2a3795db78b94dbcffaf518"
                                   "22157bf24a96529a0e";
    static const char sent[] = "ed377f16d311e8a3e12a20b788f611f3a67d37f717ac6720b80e88d1a0c683e480"
                               "e8c7e30b91293029e42847b740a4d13cda82b7b39f6710";
    EVP_MAC *mac = EVP_MAC_fetch(libctx, SCHANNEL_MAC_SSL3, SCHANNEL_PROPERTIES);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, SCHANNEL_CIPHER_RC4, SCHANNEL_PROPERTIES);
    EVP_MAC_CTX *mac_context = EVP_MAC_CTX_new(mac);
    EVP_CIPHER_CTX *cipher_context = EVP_CIPHER_CTX_new();
    EVP_KDF_CTX *context = new_context(SSL3);
    uint8_t record[56], expected[56], out[56], mac_key[16], key[16];
    unsigned type = 22, length = 40;
    OSSL_PARAM params[] = { text_param("digest", "MD5"),
                            OSSL_PARAM_construct_uint("record-type", &type),
                            OSSL_PARAM_construct_uint("record-length", &length),
                            OSSL_PARAM_construct_end() };
    struct request request;
    size_t size = 0;
    int written = 0;

    (void)state;
    start(&request, SSL3, "-secret " SSL3_PREMASTER);
    set(context, &request);
    assert_int_equal(EVP_KDF_derive(context, key, sizeof(key), NULL), 1);
    change(&request, "usage=client-write-mac");
    assert_int_equal(EVP_KDF_derive(context, mac_key, sizeof(mac_key), params_of(&request)), 1);
    EVP_KDF_CTX_free(context);

    assert_int_equal(from_hex(finished, record, sizeof(record)), 40);
    assert_int_equal(EVP_MAC_init(mac_context, mac_key, sizeof(mac_key), params), 1);
    assert_int_equal(EVP_MAC_update(mac_context, record, 40), 1);
    assert_int_equal(EVP_MAC_final(mac_context, record + 40, &size, 16), 1);
    assert_int_equal(size, 16);
    assert_int_equal(EVP_EncryptInit_ex2(cipher_context, cipher, key, NULL, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(cipher_context, out, &written, record, sizeof(record)), 1);
    assert_int_equal(written, sizeof(out));
    from_hex(sent, expected, sizeof(expected));
    assert_memory_equal(out, expected, sizeof(out));
    EVP_MAC_CTX_free(mac_context);
    EVP_CIPHER_CTX_free(cipher_context);
    EVP_MAC_free(mac);
    EVP_CIPHER_free(cipher);
}

/* ---- record MACs: spec/record-protection.md 8 ---- */

static void the_record_macs_of_the_spec_come_out(void **state)
{
    static const struct {
        const char *mac, *digest, *key;
        uint64_t sequence;
        unsigned type, version; /* 0: the protocol has none in its records */
        const char *data, *expected;
    } rows[] = {
        { SCHANNEL_MAC_SSL2, "MD5", "5ee3a45d1cd691391d2573f5d18dd286", 3, 0, 0, "68656c6c6f",
          "ec7906755c8d3e5fd819512ee5e1fccd" },
        { SCHANNEL_MAC_PCT1, "MD5", "f830e44160f64543e7ff6cac72c05403", 2, 0, 0, "68656c6c6f",
          "8da3828c94d677e1a3debb0b68e9c803" },
        { SCHANNEL_MAC_PCT1, "MD5", "f830e44160f64543e7ff6cac72c05403", 2, 0, 0, "68656c6c6f000000",
          "c65848b339d702e2453044d7fd5a03e4" },
        { SCHANNEL_MAC_SSL3, "MD5", "182a7551f89f5cf95c900d0d762f1e9e", 0, 22, 0,
          "14000024f240103f7463eae87a2723565f5907d2a3795db78b94dbcffaf51822157bf24a96529a0e",
          "d309de2884a7075c7c0c08856b4f6304" },
        { SCHANNEL_MAC_SSL3, "SHA1", B00_0F "10111213", 0, 23, 0, "68656c6c6f",
          "2cbf31c4ffd93a78a9d6ee328a975d0393213d30" },
        { SCHANNEL_MAC_TLS1, "SHA1", B00_0F "10111213", 0, 23, 769, "68656c6c6f",
          "b93da3fdf9dd3bb5ad401cc1e6ec33858a033768" },
        { SCHANNEL_MAC_TLS1, "MD5", B00_0F, 0, 23, 769, "68656c6c6f",
          "95a4549583f41e0de8de87d93ec5731e" },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_MAC *mac = EVP_MAC_fetch(libctx, rows[n].mac, SCHANNEL_PROPERTIES);
        EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
        uint8_t key[64], data[64], expected[20], out[20];
        const size_t key_size = from_hex(rows[n].key, key, sizeof(key));
        const size_t size = from_hex(rows[n].data, data, sizeof(data));
        uint64_t sequence = rows[n].sequence, length = size;
        unsigned type = rows[n].type, version = rows[n].version, yes = 1;
        OSSL_PARAM params[8] = { text_param("digest", rows[n].digest),
                                 OSSL_PARAM_construct_uint64("sequence", &sequence),
                                 OSSL_PARAM_construct_uint("record-mode", &yes) };
        size_t count = 3, written = 0;

        if (type != 0) {
            params[count++] = OSSL_PARAM_construct_uint("record-type", &type);
            params[count++] = OSSL_PARAM_construct_uint64("record-length", &length);
        }
        if (version != 0)
            params[count++] = OSSL_PARAM_construct_uint("record-version", &version);
        params[count] = OSSL_PARAM_construct_end();
        assert_int_equal(EVP_MAC_init(context, key, key_size, params), 1);
        assert_int_equal(EVP_MAC_update(context, data, size), 1);
        assert_int_equal(EVP_MAC_final(context, out, &written, sizeof(out)), 1);
        assert_int_equal(written, from_hex(rows[n].expected, expected, sizeof(expected)));
        assert_memory_equal(out, expected, written);
        EVP_MAC_CTX_free(context);
        EVP_MAC_free(mac);
    }
}

/* ---- lengths ---- */

static void usages_without_a_size_of_their_own_give_any_length_up_to_their_most(void **state)
{
    static const struct {
        size_t protocol, most;
        const char *changes, *detail;
    } rows[] = {
        { SSL2, 48, "usage=key-block", "keylen: usage key-block of SSL 2.0 gives at most 48" },
        { SSL2, 16, "usage=key-block cipher=DES-CBC ssl2-des-digit=0", "gives at most 16" },
        { SSL3, 416, "usage=key-block", "gives at most 416" },
        { SSL3, 416, "usage=prf seed=00", "usage prf of SSL 3.0 gives at most 416" },
        { SSL3, 36, "usage=finished-client handshake=", "gives at most 36" },
        { SSL3, 36, "usage=finished-server handshake=00", "gives at most 36" },
        { SSL3, 36, "usage=certificate-verify handshake=00", "gives at most 36" },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_KDF_CTX *context = new_context(rows[n].protocol);
        uint8_t whole[MAX_OUTPUT], out[MAX_OUTPUT];
        struct request request;

        start(&request, rows[n].protocol, rows[n].changes);
        set(context, &request);
        assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), rows[n].most);
        assert_int_equal(EVP_KDF_derive(context, whole, rows[n].most, NULL), 1);
        for (size_t size = 1; size <= rows[n].most; size++) {
            memset(out, 0xa5, sizeof(out));
            assert_int_equal(EVP_KDF_derive(context, out, size, NULL), 1);
            assert_memory_equal(out, whole, size);
            assert_int_equal(out[size], 0xa5);
        }
        assert_refuses(context, NULL, 0, "invalid length", "keylen: nothing");
        assert_refuses(context, NULL, rows[n].most + 1, "invalid length", rows[n].detail);
        assert_refuses(context, NULL, MAX_OUTPUT, "invalid length", rows[n].detail);
        EVP_KDF_CTX_free(context);
    }
}

static int asks_for_a_key(const struct request *request)
{
    static const char *const usages[] = { "client-write-key",
                                          "server-write-key",
                                          "client-write-mac",
                                          "server-write-mac",
                                          "client-write-iv",
                                          "server-write-iv",
                                          NULL };
    const size_t n = find_item(request, "usage");

    return n < request->count && is_one_of(request->items[n].param.data, usages);
}

static void key_usages_give_the_whole_key_and_nothing_else(void **state)
{
    unsigned lengths = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(answers); n++) {
        EVP_KDF_CTX *context = new_context(answers[n].protocol);
        const size_t size = strlen(answers[n].hex) / 2;
        struct request request;

        start(&request, answers[n].protocol, answers[n].changes);
        set(context, &request);
        for (size_t wrong = 0; asks_for_a_key(&request) && wrong <= 2 * size + 1; wrong++) {
            if (wrong == size)
                continue;
            assert_refuses(context, NULL, wrong, "invalid length", "keylen: ");
            lengths++;
        }
        assert_derives(context, NULL, answers[n].hex);
        EVP_KDF_CTX_free(context);
    }
    print_message("%u wrong lengths\n", lengths);
}

static void a_master_secret_has_48_bytes(void **state)
{
    EVP_KDF_CTX *context = new_context(SSL3);
    struct request request;

    (void)state;
    start(&request, SSL3, "-secret " SSL3_PREMASTER " usage=master-secret");
    set(context, &request);
    assert_refuses(context, NULL, 47, "invalid length", "gives 48 bytes");
    assert_refuses(context, NULL, 49, "invalid length", "gives 48 bytes");
    assert_derives(context, NULL, SSL3_MASTER);
    EVP_KDF_CTX_free(context);
}

/* ---- what is refused when it is set ---- */

/* Parameter and value; no value: it is one that the protocol has no use for at all. */
static const struct bad_value {
    size_t protocol;
    const char *change, *reason, *detail;
} bad_values[] = {
    /* usages that a protocol lacks, and why */
    { PCT1, "usage=key-block", "unknown usage", "PCT 1.0 has no key-block: each key" },
    { PCT1, "usage=client-write-iv", "unknown usage", "not derived but sent" },
    { PCT1, "usage=server-write-iv", "unknown usage", "not derived but sent" },
    { PCT1, "usage=master-secret", "unknown usage", "there is no premaster" },
    { PCT1, "usage=prf", "unknown usage", "PCT1-MAC" },
    { PCT1, "usage=finished-client", "unknown usage", "PCT1-MAC" },
    { PCT1, "usage=finished-server", "unknown usage", "PCT1-MAC" },
    { PCT1, "usage=certificate-verify", "unknown usage", "PCT1-MAC" },
    { SSL2, "usage=client-write-mac", "unknown usage", "the write key is the MAC secret" },
    { SSL2, "usage=server-write-mac", "unknown usage", "the write key is the MAC secret" },
    { SSL2, "usage=client-write-iv", "unknown usage", "not derived but sent" },
    { SSL2, "usage=server-write-iv", "unknown usage", "not derived but sent" },
    { SSL2, "usage=master-secret", "unknown usage", "there is no premaster" },
    { SSL2, "usage=prf", "unknown usage", "SSL 2.0 has no prf" },
    { SSL2, "usage=finished-client", "unknown usage", "by using them" },
    { SSL2, "usage=finished-server", "unknown usage", "by using them" },
    { SSL2, "usage=certificate-verify", "unknown usage", "MD5 of the key-block" },
    { TLS1, "usage=certificate-verify", "unknown usage", "digest MD5-SHA1" },
    { PCT1, "usage=write-key", "unknown usage", "\"write-key\"" },
    { SSL2, "usage=", "unknown usage", "usage: expected" },
    { SSL3, "usage=client-write", "unknown usage", "usage: expected" },
    /* parameters that a protocol has no use for */
    { PCT1, "premaster=00", "conflicting parameters", "premaster: PCT 1.0 has none" },
    { PCT1, "label=00", "conflicting parameters", "label: PCT 1.0 has none" },
    { PCT1, "seed=00", "conflicting parameters", "seed: PCT 1.0 has none" },
    { PCT1, "handshake=00", "conflicting parameters", "handshake: PCT 1.0 has none" },
    { PCT1, "handshake-hash=00", "conflicting parameters", "handshake-hash: PCT 1.0 has none" },
    { PCT1, "record-version=769", "conflicting parameters", "record-version: PCT 1.0 has none" },
    { PCT1, "ssl2-des-digit=1", "conflicting parameters", "ssl2-des-digit: PCT 1.0 has none" },
    { SSL2, "premaster=00", "conflicting parameters", "premaster: SSL 2.0 has none" },
    { SSL2, "label=00", "conflicting parameters", "label: SSL 2.0 has none" },
    { SSL2, "seed=00", "conflicting parameters", "seed: SSL 2.0 has none" },
    { SSL2, "handshake=00", "conflicting parameters", "handshake: SSL 2.0 has none" },
    { SSL2, "handshake-hash=00", "conflicting parameters", "handshake-hash: SSL 2.0 has none" },
    { SSL2, "certificate=00", "conflicting parameters", "certificate: SSL 2.0 has none" },
    { SSL2, "record-version=769", "conflicting parameters", "record-version: SSL 2.0 has none" },
    { SSL2, "pct-raw-des=0", "conflicting parameters", "pct-raw-des: SSL 2.0 has none" },
    { SSL3, "clear-key=00", "conflicting parameters", "clear-key: SSL 3.0 has none" },
    { SSL3, "certificate=00", "conflicting parameters", "certificate: SSL 3.0 has none" },
    { SSL3, "handshake-hash=00", "conflicting parameters", "handshake-hash: SSL 3.0 has none" },
    { SSL3, "record-version=769", "conflicting parameters", "record-version: SSL 3.0 has none" },
    { SSL3, "ssl2-des-digit=0", "conflicting parameters", "ssl2-des-digit: SSL 3.0 has none" },
    { SSL3, "pct-raw-des=1", "conflicting parameters", "pct-raw-des: SSL 3.0 has none" },
    { TLS1, "clear-key=00", "conflicting parameters", "clear-key: TLS 1.0 has none" },
    { TLS1, "certificate=00", "conflicting parameters", "certificate: TLS 1.0 has none" },
    { TLS1, "ssl2-des-digit=1", "conflicting parameters", "ssl2-des-digit: TLS 1.0 has none" },
    { TLS1, "pct-raw-des=0", "conflicting parameters", "pct-raw-des: TLS 1.0 has none" },
    /* values that are wrong in any protocol, and versions that are none */
    { PCT1, "cipher=IDEA-CBC", "unknown algorithm", "cipher: expected RC4" },
    { SSL2, "cipher=IDEA-CBC", "unknown algorithm", "cipher: expected RC4" },
    { PCT1, "digest=SHA256", "unknown algorithm", "digest: expected MD5 or SHA1" },
    { SSL2, "digest=MD4", "unknown algorithm", "digest: expected MD5 or SHA1" },
    { PCT1, "client-random=", "invalid length", "client-random: expected" },
    { SSL2, "server-random=", "invalid length", "server-random: expected" },
    { PCT1, "server-random=" B40_5F B40_5F "00", "invalid length", "server-random: expected" },
    { SSL2, "client-random=" B40_5F B40_5F "00", "invalid length", "client-random: expected" },
    { SSL3, "premaster=", "invalid length", "premaster: expected" },
    { PCT1, "cipher-bits=0", "invalid parameter", "cipher-bits: expected" },
    { SSL2, "cipher-bits=4097", "invalid parameter", "cipher-bits: expected" },
    { PCT1, "mac-bits=0", "invalid parameter", "mac-bits: expected" },
    { PCT1, "pct-raw-des=2", "invalid parameter", "pct-raw-des: expected" },
    { SSL2, "ssl2-des-digit=2", "invalid parameter", "ssl2-des-digit: expected" },
    { SSL3, "export=2", "invalid parameter", "export: expected" },
    { SSL2, "relaxed-randoms=2", "invalid parameter", "relaxed-randoms: expected" },
    { TLS1, "record-version=768", "invalid parameter", "record-version: expected 769 to 770" },
    { TLS1, "record-version=771", "invalid parameter", "record-version: expected 769 to 770" },
    { TLS1, "handshake-hash=00", "invalid length", "handshake-hash: expected 36" },
};

/* By itself, at derive time, and behind good values of another connection: nothing of it sticks. */
static void a_refused_value_changes_nothing_and_nothing_given_with_it(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(bad_values); n++) {
        const struct bad_value *row = &bad_values[n];
        const struct protocol *protocol = &protocols[row->protocol];
        EVP_KDF_CTX *context = new_context(row->protocol);
        const size_t size = strlen(protocol->answer) / 2;
        struct request request, bad;

        start(&request, row->protocol, "");
        set(context, &request);
        memset(&bad, 0, sizeof(bad));
        change(&bad, row->change);
        assert_int_equal(EVP_KDF_CTX_set_params(context, params_of(&bad)), 0);
        assert_reason(row->reason, row->detail);
        assert_refuses(context, params_of(&bad), size, row->reason, row->detail);
        start(&bad, row->protocol,
              "client-random=" B40_5F " server-random=" B80_9F " usage=server-write-key");
        change(&bad, row->change);
        assert_int_equal(EVP_KDF_CTX_set_params(context, params_of(&bad)), 0);
        assert_reason(row->reason, row->detail);
        assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), size);
        assert_derives(context, NULL, protocol->answer);
        EVP_KDF_CTX_free(context);
    }
    print_message("%zu bad values\n", COUNT(bad_values));
}

static void pct1_has_no_default_usage(void **state)
{
    EVP_KDF_CTX *context = new_context(PCT1);
    struct request request;

    (void)state;
    start(&request, PCT1, "-usage");
    set(context, &request);
    assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), 0);
    assert_reason("unknown usage", "PCT 1.0 has no key-block");
    assert_refuses(context, NULL, 16, "unknown usage", "PCT 1.0 has no key-block");
    change(&request, "usage=client-write-key");
    assert_derives(context, params_of(&request), protocols[PCT1].answer);
    EVP_KDF_CTX_free(context);
}

/* ---- what is refused when it is derived ---- */

/* Each value is possible by itself; |repair| makes the request the protocol's base again. */
static const struct bad_request {
    size_t protocol, size;
    const char *changes, *reason, *detail, *repair;
} bad_requests[] = {
    /* something is missing */
    { PCT1, 16, "-secret", "missing parameter", "secret: is not set: expected the master key", "" },
    { PCT1, 16, "-client-random", "missing parameter", "client-random: ", "" },
    { PCT1, 16, "-server-random", "missing parameter", "server-random: ", "" },
    { PCT1, 16, "-digest", "missing parameter", "digest: ", "" },
    { PCT1, 16, "-cipher", "missing parameter", "cipher: ", "" },
    { PCT1, 16, "cipher-bits=40", "missing parameter", "clear-key: ", "" },
    { PCT1, 16, "cipher-bits=127", "missing parameter", "clear-key: ", "" },
    { PCT1, 16, "cipher-bits=40 clear-key=", "missing parameter", "clear-key: ", "" },
    { PCT1, 8, "cipher=DES-CBC cipher-bits=55", "missing parameter", "clear-key: ", "" },
    { PCT1, 16, "usage=client-write-mac -secret", "missing parameter", "secret: ", "" },
    { PCT1, 16, "usage=client-write-mac -digest", "missing parameter", "digest: ", "" },
    { PCT1, 16, "usage=server-write-mac -client-random", "missing parameter",
      "client-random: ", "" },
    { SSL2, 16, "-secret", "missing parameter", "secret: is not set: expected the master key", "" },
    { SSL2, 16, "-client-random", "missing parameter", "client-random: ", "" },
    { SSL2, 16, "-server-random", "missing parameter", "server-random: ", "" },
    { SSL2, 16, "-cipher", "missing parameter", "cipher: ", "" },
    { SSL2, 48, "usage=key-block -secret", "missing parameter", "secret: ", "" },
    { SSL2, 48, "usage=key-block -server-random", "missing parameter", "server-random: ", "" },
    { SSL3, 16, "-secret", "missing parameter",
      "secret: is not set: expected the 48 bytes of a master secret", "" },
    { SSL3, 16, "-client-random", "missing parameter", "client-random: ", "" },
    { SSL3, 16, "-server-random", "missing parameter", "server-random: ", "" },
    { SSL3, 16, "-digest", "missing parameter", "digest: ", "" },
    { SSL3, 16, "-cipher", "missing parameter", "cipher: ", "" },
    { SSL3, 8, "cipher=RC2-CBC usage=client-write-iv -digest", "missing parameter",
      "digest: ", "" },
    { SSL3, 8, "usage=client-write-iv -cipher", "missing parameter", "cipher: ", "" },
    { SSL3, 16, "usage=client-write-mac -digest", "missing parameter", "digest: ", "" },
    { SSL3, 16, "usage=client-write-mac -server-random", "missing parameter",
      "server-random: ", "" },
    { SSL3, 48, "usage=master-secret", "missing parameter", "premaster: ", "" },
    { SSL3, 48, "usage=master-secret -secret", "missing parameter", "premaster: ", "" },
    { SSL3, 20, "usage=key-block -client-random", "missing parameter", "client-random: ", "" },
    { SSL3, 20, "usage=prf", "missing parameter", "seed: ", "" },
    { SSL3, 20, "usage=prf seed=00 -secret", "missing parameter", "secret: ", "" },
    { SSL3, 36, "usage=finished-client", "missing parameter", "handshake: ", "" },
    { SSL3, 36, "usage=finished-server", "missing parameter", "handshake: ", "" },
    { SSL3, 36, "usage=certificate-verify", "missing parameter", "handshake: ", "" },
    { SSL3, 36, "usage=finished-client handshake=00 -secret", "missing parameter", "secret: ", "" },
    /* lengths */
    { PCT1, 16, "secret=000102030405060708090a0b0c0d0e", "invalid length",
      "secret: expected the 16 bytes of a master key, got 15", "" },
    { PCT1, 16, "secret=" B00_0F "10", "invalid length", "got 17", "" },
    { PCT1, 16, "secret=", "invalid length", "got 0", "" },
    { PCT1, 16, "client-random=" B10_1F, "invalid length",
      "client-random: expected 32 bytes, got 16", "" },
    { PCT1, 16, "server-random=" B40_5F "00", "invalid length",
      "server-random: expected 32 bytes, got 33", "" },
    { PCT1, 24, "cipher=DES-EDE3-CBC cipher-bits=40 clear-key=" A0_AA, "invalid length",
      "clear-key: expected a multiple of 2 bytes for this cipher and digest, got 11", "" },
    { PCT1, 24, "cipher=DES-EDE3-CBC cipher-bits=167 digest=SHA1 mac-bits=160 clear-key=00",
      "invalid length", "clear-key: expected a multiple of 2", "" },
    { SSL2, 16, "secret=00010203", "invalid length", "secret: expected the 5 to 32 bytes", "" },
    { SSL2, 16, "secret=" B40_5F "00", "invalid length", "got 33", "" },
    { SSL2, 16, "client-random=" B00_07, "invalid length",
      "client-random: expected 16 to 32 bytes, got 8", "" },
    { SSL2, 16, "server-random=000102030405060708090a0b0c0d0e", "invalid length", "got 15", "" },
    { SSL2, 16, "server-random=" B40_5F "00", "invalid length", "got 33", "" },
    { SSL2, 16, "clear-key=" B00_0F "10", "invalid length", "clear-key: has 17 bytes",
      "clear-key=" },
    { SSL2, 16, "secret=0001020304 clear-key=" B00_0F "101112131415161718191a1b", "invalid length",
      "clear-key: has 28 bytes, which with 5 of the secret is more than the 32", "clear-key=" },
    { SSL2, 16, "clear-key=" B40_5F "00", "invalid length", "clear-key: has 33 bytes",
      "clear-key=" },
    { SSL2, 48, "usage=key-block clear-key=" B40_5F, "invalid length", "clear-key: has 32 bytes",
      "clear-key=" },
    { SSL3, 16, "secret=" B00_0F B10_1F B20_2F "00", "invalid length",
      "secret: expected the 48 bytes of a master secret, got 49", "" },
    { SSL3, 16, "client-random=" B40_5F "00", "invalid length",
      "client-random: expected 32 bytes, got 33", "" },
    { SSL3, 20, "usage=key-block server-random=" B10_1F, "invalid length", "got 16", "" },
    { SSL3, 36, "usage=finished-client handshake=00 secret=00", "invalid length", "got 1", "" },
    /* sizes that a cipher or digest does not have in this protocol */
    { PCT1, 16, "cipher-bits=39 clear-key=00", "invalid parameter",
      "cipher-bits: PCT 1.0 has no RC4 key of 39 bits", "clear-key=" },
    { PCT1, 16, "cipher-bits=129", "invalid parameter", "RC4 key of 129", "" },
    { PCT1, 8, "cipher=DES-CBC cipher-bits=60", "invalid parameter", "DES-CBC key of 60", "" },
    { PCT1, 16, "cipher=DES-EDE-CBC cipher-bits=120", "invalid parameter", "key of 120", "" },
    { PCT1, 16, "cipher=AES-128-CBC", "invalid parameter", "PCT 1.0 has no AES-128-CBC key", "" },
    { PCT1, 32, "cipher=AES-256-CBC cipher-bits=256", "invalid parameter", "no AES-256-CBC", "" },
    { PCT1, 24, "cipher=AES-192-CBC -cipher-bits", "invalid parameter",
      "cipher: PCT 1.0 has no AES-192-CBC", "" },
    { PCT1, 16, "mac-bits=63", "invalid parameter", "mac-bits: expected 64 to 319, got 63", "" },
    { PCT1, 8, "usage=client-write-mac mac-bits=63", "invalid parameter", "mac-bits: expected 64",
      "" },
    { PCT1, 40, "usage=server-write-mac mac-bits=320", "invalid parameter", "got 320", "" },
    { SSL2, 16, "cipher-bits=56", "invalid parameter", "SSL 2.0 has no RC4 key of 56 bits", "" },
    { SSL2, 16, "cipher=RC2-CBC cipher-bits=64", "invalid parameter", "RC2-CBC key of 64", "" },
    { SSL2, 8, "cipher=DES-CBC cipher-bits=40", "invalid parameter", "DES-CBC key of 40", "" },
    { SSL2, 16, "cipher=DES-EDE-CBC", "invalid parameter", "no DES-EDE-CBC key", "" },
    { SSL2, 16, "cipher=AES-128-CBC", "invalid parameter", "no AES-128-CBC key", "" },
    { SSL2, 16, "cipher=DES-EDE-CBC -cipher-bits", "invalid parameter",
      "cipher: SSL 2.0 has no DES-EDE-CBC", "" },
    { SSL3, 16, "cipher-bits=41", "invalid parameter",
      "SSL 3.0 has no RC4 key of 41 bits for export", "" },
    { SSL3, 8, "cipher=DES-CBC export=0", "invalid parameter", "40 bits without export", "" },
    { SSL3, 24, "cipher=DES-EDE3-CBC cipher-bits=168", "invalid parameter", "for export", "" },
    { SSL3, 16, "cipher=AES-128-CBC cipher-bits=128", "invalid parameter", "for export", "" },
    { SSL3, 16, "cipher=AES-128-CBC -cipher-bits", "invalid parameter",
      "cipher: SSL 3.0 has no AES-128-CBC for export", "" },
    { SSL3, 16, "mac-bits=160", "invalid parameter", "mac-bits: expected 128 for MD5, got 160",
      "" },
    { SSL3, 20, "usage=client-write-mac digest=SHA1", "invalid parameter",
      "mac-bits: expected 160 for SHA1, got 128", "" },
    /* things that exclude each other */
    { SSL3, 16, SSL3_PREMASTER, "conflicting parameters", "premaster: excludes secret", NULL },
    { SSL3, 48, "usage=master-secret " SSL3_PREMASTER, "conflicting parameters",
      "premaster: excludes secret", NULL },
    { SSL3, 48, "usage=prf seed=00 " SSL3_PREMASTER, "conflicting parameters",
      "premaster: excludes secret", NULL },
    { SSL3, 48, "usage=prf seed=00 label=00", "conflicting parameters", "label: SSL 3.0's", "" },
    { SSL3, 48, "usage=prf seed=00 label=", "conflicting parameters", "label: SSL 3.0's", "" },
    { TLS1, 16, "record-version=770", "conflicting parameters",
      "export: TLS 1.1 has no export ciphers", "record-version=769" },
    { TLS1, 16, "record-version=770 usage=server-write-key cipher=RC4", "conflicting parameters",
      "export: ", "record-version=769" },
    { TLS1, 8, "record-version=770 usage=client-write-iv", "conflicting parameters",
      "export: ", "record-version=769" },
    /* IVs that there are not */
    { SSL3, 8, "usage=client-write-iv", "unknown usage", "usage: client-write-iv: RC4 has no IV",
      "" },
    { SSL3, 8, "usage=server-write-iv export=0", "unknown usage", "RC4 has no IV", "" },
    { TLS1, 8, "usage=client-write-iv export=0 record-version=770", "unknown usage", "explicit IV",
      "record-version=769" },
    { TLS1, 8, "usage=server-write-iv export=0 record-version=770", "unknown usage", "explicit IV",
      "record-version=769" },
};

static void a_request_that_cannot_be_answered_is_refused_until_it_is_repaired(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(bad_requests); n++) {
        const struct bad_request *row = &bad_requests[n];
        const struct protocol *protocol = &protocols[row->protocol];
        EVP_KDF_CTX *context = new_context(row->protocol);
        struct request request;

        start(&request, row->protocol, row->changes);
        set(context, &request);
        assert_refuses(context, NULL, row->size, row->reason, row->detail);
        assert_refuses(context, NULL, row->size, row->reason, row->detail);
        if (row->repair != NULL) {
            start(&request, row->protocol, row->repair);
            assert_derives(context, params_of(&request), protocol->answer);
        }
        EVP_KDF_CTX_reset(context);
        start(&request, row->protocol, row->changes);
        assert_refuses(context, params_of(&request), row->size, row->reason, row->detail);
        EVP_KDF_CTX_reset(context);
        start(&request, row->protocol, "");
        assert_derives(context, params_of(&request), protocol->answer);
        EVP_KDF_CTX_free(context);
    }
    print_message("%zu bad requests\n", COUNT(bad_requests));
}

/* The size is asked with the same checks as the key. */
static void the_size_of_a_key_that_there_is_not_is_refused_for_the_same_reason(void **state)
{
    static const struct {
        size_t protocol;
        const char *changes, *reason, *detail;
    } rows[] = {
        { PCT1, "-cipher", "missing parameter", "cipher: " },
        { PCT1, "-digest", "missing parameter", "digest: " },
        { PCT1, "cipher-bits=40", "missing parameter", "clear-key: " },
        { PCT1, "cipher=AES-192-CBC cipher-bits=192", "invalid parameter", "cipher-bits: " },
        { PCT1, "usage=client-write-mac -digest", "missing parameter", "digest: " },
        { SSL2, "-cipher", "missing parameter", "cipher: " },
        { SSL2, "cipher=DES-EDE-CBC", "invalid parameter", "cipher-bits: " },
        { SSL3, "-digest", "missing parameter", "digest: " },
        { SSL3, "usage=client-write-iv", "unknown usage", "RC4 has no IV" },
        { TLS1, "record-version=770", "conflicting parameters", "export: " },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_KDF_CTX *context = new_context(rows[n].protocol);
        struct request request;

        start(&request, rows[n].protocol, rows[n].changes);
        set(context, &request);
        assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), 0);
        assert_reason(rows[n].reason, rows[n].detail);
        EVP_KDF_CTX_free(context);
    }
}

/* ---- what changes an answer, and what does not ---- */

/* The parameters that a protocol has a use for have one; those for others do not disturb. */
static void each_input_of_a_derivation_counts(void **state)
{
    static const struct {
        size_t protocol;
        const char *changes;
        int is_same;
    } rows[] = {
        { PCT1, "secret=" B10_1F, 0 },
        { PCT1, "client-random=" B40_5F, 0 },
        { PCT1, "server-random=" B40_5F, 0 },
        { PCT1, "certificate=00", 0 },
        { PCT1, "certificate=", 0 },
        { PCT1, "-certificate", 0 },
        { PCT1, "digest=SHA1", 0 },
        { PCT1, "mac-bits=64", 1 },
        { PCT1, "export=1", 1 },
        { PCT1, "pct-raw-des=1", 1 },
        { PCT1, "relaxed-randoms=1", 1 },
        { SSL2, "secret=" B10_1F, 0 },
        { SSL2, "client-random=" B40_5F, 0 },
        { SSL2, "server-random=" B40_5F, 0 },
        { SSL2, "clear-key=ff", 0 },
        { SSL2, "clear-key=00", 1 }, /* in place of the first byte, which is 00 */
        { SSL2, "export=1", 1 },
        { SSL2, "digest=SHA1 mac-bits=7", 1 },
        { SSL3, "secret=" B00_0F B00_0F B00_0F, 0 },
        { SSL3, "client-random=" B40_5F, 0 },
        { SSL3, "server-random=" B40_5F, 0 },
        { SSL3, "digest=SHA1 mac-bits=160", 0 },
        { SSL3, "cipher-bits=48", 0 },
        { SSL3, "seed=00 label=00 handshake=00", 1 },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_KDF_CTX *context = new_context(rows[n].protocol);
        uint8_t expected[16], out[16];
        struct request request;

        from_hex(protocols[rows[n].protocol].answer, expected, sizeof(expected));
        start(&request, rows[n].protocol, rows[n].changes);
        assert_int_equal(EVP_KDF_derive(context, out, sizeof(out), params_of(&request)), 1);
        if ((memcmp(out, expected, sizeof(out)) == 0) != rows[n].is_same)
            fail_msg("%s, %s: unexpectedly %s", protocols[rows[n].protocol].kdf, rows[n].changes,
                     rows[n].is_same ? "different" : "the same");
        EVP_KDF_CTX_free(context);
    }
}

static void relaxed_randoms_have_1_to_64_bytes_and_strict_ones_those_of_the_protocol(void **state)
{
    (void)state;
    for (size_t protocol = PCT1; protocol <= SSL3; protocol++) {
        for (size_t size = 1; size <= 64; size++) {
            const int is_strict = protocol == SSL2 ? size >= 16 && size <= 32 : size == 32;
            EVP_KDF_CTX *context = new_context(protocol);
            char changes[64 * 4 + 100] = "client-random=";
            struct request request;
            uint8_t out[16];

            for (size_t n = 0; n < size; n++)
                strcat(changes, "5a");
            start(&request, protocol, changes);
            assert_int_equal(EVP_KDF_derive(context, out, sizeof(out), params_of(&request)),
                             is_strict);
            if (is_strict)
                assert_no_errors();
            else
                assert_reason("invalid length", "client-random: expected");
            change(&request, "relaxed-randoms=1");
            assert_int_equal(EVP_KDF_derive(context, out, sizeof(out), params_of(&request)), 1);
            EVP_KDF_CTX_free(context);
        }
    }
}

/* Copies of a context own certificate and clear key each by itself. */
static void a_duplicate_keeps_its_certificate_and_clear_key(void **state)
{
    EVP_KDF_CTX *context = new_context(PCT1), *copy;
    struct request request;
    uint8_t out[16], other[16];

    (void)state;
    start(&request, PCT1, "cipher-bits=40 clear-key=" A0_AA);
    set(context, &request);
    copy = EVP_KDF_CTX_dup(context);
    start(&request, PCT1, "cipher-bits=40 certificate=0000 clear-key=ffff");
    set(context, &request);
    assert_int_equal(EVP_KDF_derive(context, out, sizeof(out), NULL), 1);
    assert_derives(copy, NULL, "c24f210877b30b983faadfdea6111ddc");
    EVP_KDF_CTX_free(context);
    assert_derives(copy, NULL, "c24f210877b30b983faadfdea6111ddc");
    assert_int_equal(EVP_KDF_derive(copy, other, sizeof(other), params_of(&request)), 1);
    assert_memory_equal(out, other, sizeof(out));
    EVP_KDF_CTX_reset(copy);
    assert_refuses(copy, NULL, 16, "unknown usage", "PCT 1.0 has no key-block");
    EVP_KDF_CTX_free(copy);
}

/* 32767 bytes, which a record of PCT 1.0 holds. */
static void a_certificate_may_fill_a_record(void **state)
{
    static uint8_t certificate[32767];
    EVP_KDF_CTX *context = new_context(PCT1);
    OSSL_PARAM params[] = { octets_param("certificate", certificate, sizeof(certificate)),
                            OSSL_PARAM_construct_end() };
    EVP_MD *md5 = EVP_MD_fetch(libctx, "MD5", NULL);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t part[64], expected[16], out[16];
    struct request request;

    (void)state;
    pattern(certificate, sizeof(certificate), 5);
    start(&request, PCT1, "");
    set(context, &request);
    assert_int_equal(EVP_KDF_derive(context, out, sizeof(out), params), 1);
    assert_int_equal(EVP_DigestInit_ex2(hash, md5, NULL), 1);
    EVP_DigestUpdate(hash, "\001cw", 3);
    EVP_DigestUpdate(hash, part, from_hex(B00_0F, part, sizeof(part)));
    EVP_DigestUpdate(hash, "cw", 2);
    EVP_DigestUpdate(hash, part, from_hex(B60_7F, part, sizeof(part)));
    EVP_DigestUpdate(hash, "cw", 2);
    EVP_DigestUpdate(hash, certificate, sizeof(certificate));
    EVP_DigestUpdate(hash, "cw", 2);
    EVP_DigestUpdate(hash, part, from_hex(B20_2F B30_3F, part, sizeof(part)));
    EVP_DigestUpdate(hash, "cw", 2);
    assert_int_equal(EVP_DigestFinal_ex(hash, expected, NULL), 1);
    assert_memory_equal(out, expected, sizeof(out));
    EVP_MD_CTX_free(hash);
    EVP_MD_free(md5);
    EVP_KDF_CTX_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_and_computed_values_come_out),
        cmocka_unit_test(the_published_ssl3_trace_ends_in_its_encrypted_finished_record),
        cmocka_unit_test(the_record_macs_of_the_spec_come_out),
        cmocka_unit_test(usages_without_a_size_of_their_own_give_any_length_up_to_their_most),
        cmocka_unit_test(key_usages_give_the_whole_key_and_nothing_else),
        cmocka_unit_test(a_master_secret_has_48_bytes),
        cmocka_unit_test(a_refused_value_changes_nothing_and_nothing_given_with_it),
        cmocka_unit_test(pct1_has_no_default_usage),
        cmocka_unit_test(a_request_that_cannot_be_answered_is_refused_until_it_is_repaired),
        cmocka_unit_test(the_size_of_a_key_that_there_is_not_is_refused_for_the_same_reason),
        cmocka_unit_test(each_input_of_a_derivation_counts),
        cmocka_unit_test(relaxed_randoms_have_1_to_64_bytes_and_strict_ones_those_of_the_protocol),
        cmocka_unit_test(a_duplicate_keeps_its_certificate_and_clear_key),
        cmocka_unit_test(a_certificate_may_fill_a_record),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
