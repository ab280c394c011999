/*
 * MD5 and SHA-1 whose state can be saved in mid-stream and resumed elsewhere.
 *
 * EVP offers no way to read a running digest, so this file sits on libcrypto's low-level MD5 and
 * SHA-1 with their public state structures (or, where libcrypto lacks them, primitive/plain_digest).
 * It is the only file that does.
 * Plain value: copy a struct digest_state to duplicate it, cleanse it to destroy it.
 * No allocation, no failure.  Used by primitive/digest_text, primitive/hmac, protocol/ and key/.
 */
#ifndef SCHANNEL_PRIMITIVE_DIGEST_H
#define SCHANNEL_PRIMITIVE_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include "primitive/low_level.h"

#define DIGEST_MAX_SIZE   20
#define DIGEST_BLOCK_SIZE 64
#define DIGEST_MAX_WORDS  5
/* Chaining value, 8 bytes of length, at most 63 bytes not yet compressed. */
#define DIGEST_MAX_SAVED (DIGEST_MAX_SIZE + 8 + DIGEST_BLOCK_SIZE - 1)

/* The numbers are written into blobs: never renumber. */
enum digest_id { DIGEST_NONE = 0, DIGEST_MD5 = 1, DIGEST_SHA1 = 2 };

struct digest_state {
    enum digest_id id;
    union {
        MD5_CTX md5;
        SHA_CTX sha1;
    } u;
};

/* Chaining value after a whole number of blocks: what HMAC keeps per key. */
struct digest_midstate {
    uint32_t word[DIGEST_MAX_WORDS];
};

/* 16 or 20; 0 for DIGEST_NONE. */
size_t digest_size(enum digest_id id);
/* "MD5" or "SHA1". */
const char *digest_name(enum digest_id id);
/* Knows MD5, SHA1, SHA-1 and SHA in any case; DIGEST_NONE for anything else or NULL. */
enum digest_id digest_from_name(const char *name);

void digest_init(struct digest_state *state, enum digest_id id);
void digest_update(struct digest_state *state, const void *data, size_t size);
/* Writes digest_size bytes and cleanses |state|. */
void digest_final(struct digest_state *state, uint8_t *out);

/* How many bytes were absorbed. */
uint64_t digest_absorbed(const struct digest_state *state);

/*
 * Below update and final, for who lays out padded blocks himself: a chaining value is loaded, blocks
 * are compressed, and the chaining value, in the digest's own byte order and of digest_size bytes,
 * is read.  Such a state knows nothing else, so it takes no update and no final.
 */
void digest_load(struct digest_state *state, enum digest_id id,
                 const struct digest_midstate *midstate);
void digest_compress(struct digest_state *state, const uint8_t *data, size_t blocks);
void digest_chaining_value(const struct digest_state *state, uint8_t *out);
/* Cleanses what these three have put into |state|. */
void digest_unload(struct digest_state *state);

/* What a digest begins with. */
void digest_first_midstate(enum digest_id id, struct digest_midstate *midstate);
/* Only valid when a whole number of blocks has been absorbed. */
void digest_get_midstate(const struct digest_state *state, struct digest_midstate *midstate);
/* Continues behind |blocks| compressed blocks. */
void digest_from_midstate(struct digest_state *state, enum digest_id id,
                          const struct digest_midstate *midstate, uint64_t blocks);

/*
 * The machine-independent image of a running digest:
 * chaining value (digest_size bytes, the words in the digest's own byte order: MD5 little-endian,
 * SHA-1 big-endian) || uint64 big-endian count of bytes absorbed || count mod 64 buffered bytes.
 */
size_t digest_saved_size(const struct digest_state *state);
/* |out| has room for digest_saved_size bytes; returns that size. */
size_t digest_save(const struct digest_state *state, uint8_t *out);
/*
 * 1, or 0 when |size| does not fit the length inside or that is 2^61 bytes or more, which no digest
 * counts; |state| is untouched then.
 */
int digest_restore(struct digest_state *state, enum digest_id id, const uint8_t *in, size_t size);

#endif
