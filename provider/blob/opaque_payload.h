/*
 * What an opaque blob seals: the identifier, the secret and the running state of a key.
 * Called by blob/opaque only, which puts the header before it and the seal around it.
 *
 * In TLS presentation language, format version 1:
 *
 *   struct {
 *       opaque key_id[8];
 *       uint8  fork;                        0 refuse, 1 allow
 *       select (mode) {
 *           case transfer: opaque boot_id[8];       when it was written, see blob/moment.h;
 *                          uint32 boot_not_after;   the deadline on that boot's clock
 *       };
 *       select (kind) {
 *           case master: Master; case cipher: Cipher; case mac: Mac;
 *       };
 *   } Payload;
 *
 *   struct {
 *       uint8  converted;                   SSL3, TLS1: 1, secret is the master secret, 0, the
 *                                           premaster secret; PCT1, SSL2: 1
 *       opaque secret<1..4096>;
 *       opaque client_random<0..64>;        uint8 length; empty: not set, as for all that follow
 *       opaque server_random<0..64>;
 *       opaque clear_key<0..8192>;          PCT1, SSL2; uint16 length
 *       opaque certificate<0..32767>;       PCT1: more does not fit into a record
 *       uint8  cipher;                      enum bulk_cipher_id
 *       uint16 cipher_bits;
 *       uint8  digest;                      enum digest_id
 *       uint16 mac_bits;
 *       uint16 highest_version;             SSL3, TLS1: 0 not set
 *       uint16 choices;                     two bits each, given and value, from the lowest: export,
 *                                           relaxed-randoms, ssl2-des-digit, pct-raw-des, TLS 1.1
 *   } Master;
 *
 *   struct {
 *       opaque key<0..255>;                 empty: RC4 of a context whose key was not kept
 *       opaque salt<0..11>;                 uint8 length; the cipher runs with key || salt
 *       uint64 position;                    bytes that went through
 *       select (algorithm) {
 *           case RC4:  opaque permutation[256]; uint8 i, j;
 *           case RC2:  uint16 effective_bits; Cbc;
 *           default:   Cbc;
 *       };
 *       select (protocol) {
 *           case SSL2: uint64 sequence; Message;    the key is the MAC secret as well, MD5
 *       };
 *   } Cipher;
 *
 *   struct {
 *       opaque iv[block], chain[block];
 *       uint8  direction;                   of the buffered input: 0 none, 1 encrypt, 2 decrypt
 *       opaque buffered<0..block>;          not yet processed; a whole block only in a decryption
 *   } Cbc;
 *
 *   struct {
 *       uint8  digest;
 *       opaque key<0..64>;                  uint8 length
 *       uint64 sequence;
 *       Message;
 *   } Mac;
 *
 *   struct {                                the message that is being absorbed
 *       uint8  started;                     0: none, and nothing follows
 *       uint8  in_record;
 *       uint16 record_length;
 *       uint64 absorbed;                    bytes of data, a header not counted
 *       opaque digest_state<28..91>;        uint8 length; see primitive/digest.h
 *   } Message;
 *
 * Not saved, since it follows from the rest or belongs to a process: HMAC midstates, libcrypto's
 * contexts, key-handle, export options, a context's padding and record type.
 */
#ifndef SCHANNEL_BLOB_OPAQUE_PAYLOAD_H
#define SCHANNEL_BLOB_OPAQUE_PAYLOAD_H

#include "blob/cursor.h"
#include "blob/moment.h"
#include "key/key.h"

/* The key's lock is held.  |deadline| is that of a transfer, NULL for a snapshot.  With a counting
 * writer this tells the size. */
void opaque_payload_write(struct writer *writer, const struct key *key,
                          const struct moment *deadline);

enum payload_result { PAYLOAD_READ, PAYLOAD_MALFORMED, PAYLOAD_NO_MEMORY };

/*
 * Reads |payload| into |key|, whose algorithm, protocol and usage are set; the boot clock's part of
 * a transfer goes to |deadline|, NULL for a snapshot.  Unless it was read, the caller resets the key.
 */
enum payload_result opaque_payload_read(struct key *key, struct octets payload,
                                        struct moment *deadline);

#endif
