#!/usr/bin/env python3
"""A second implementation of the four derivations and record MACs, for tests/second/compare.py.

Written from the protocol drafts and RFCs; nothing but hashlib and hmac.

    second.py --check DIRECTORY    replays the vector files of DIRECTORY (tests/vectors)

Requests are lists of (name, value) as compare.py makes them: bytes, int or str.  What is wrong with
a request is collected whole: the provider raises one reason, which has to be one of these.
"""

import hashlib
import hmac
import itertools
import os
import sys

CLIENT, SERVER = 0, 1
ANY = "any"  # no limit to the size of an output

HASH_SIZE = {"MD5": 16, "SHA1": 20}

# name: (bits with parity, bits without, block size); RC4 and RC2 may be shorter
CIPHERS = {
    "RC4": (128, 128, 1),
    "RC2-CBC": (128, 128, 8),
    "DES-CBC": (64, 56, 8),
    "DES-EDE-CBC": (128, 112, 8),
    "DES-EDE3-CBC": (192, 168, 8),
    "AES-128-CBC": (128, 128, 16),
    "AES-192-CBC": (192, 192, 16),
    "AES-256-CBC": (256, 256, 16),
}

WRITE_KEYS = {"client-write-key": CLIENT, "server-write-key": SERVER}
WRITE_MACS = {"client-write-mac": CLIENT, "server-write-mac": SERVER}
WRITE_IVS = {"client-write-iv": CLIENT, "server-write-iv": SERVER}
FINISHED = {"finished-client": CLIENT, "finished-server": SERVER}
VERIFY = {"certificate-verify": None}

USAGES = {
    "PCT1": {**WRITE_KEYS, **WRITE_MACS},
    "SSL2": {**WRITE_KEYS, "key-block": None},
    "TLS1": {**WRITE_KEYS, **WRITE_MACS, **WRITE_IVS, **FINISHED,
             "key-block": None, "master-secret": None, "prf": None},
}
USAGES["SSL3"] = {**USAGES["TLS1"], **VERIFY}

MISSING = "missing parameter"
INVALID = "invalid parameter"
LENGTH = "invalid length"
ALGORITHM = "unknown algorithm"
USAGE = "unknown usage"
CONFLICT = "conflicting parameters"
MISMATCH = "record length mismatch"
EXHAUSTED = "sequence numbers exhausted"


class Refused(Exception):
    """The request has no answer; |reasons| are those that may be given for it."""

    def __init__(self, reasons, done=b""):
        super().__init__(", ".join(sorted(reasons)))
        self.reasons = set(reasons)
        self.done = done  # MACs that were finished before


def md5(*parts):
    return hashlib.md5(b"".join(parts)).digest()


def sha1(*parts):
    return hashlib.sha1(b"".join(parts)).digest()


HASH = {"MD5": md5, "SHA1": sha1}

# ---- PCT 1.0: draft-benaloh-pct-00 section 5.3 ----


def first_bits(stream, bits):
    """The first |bits| of a byte string, zeros behind them up to a whole byte."""
    size = -(-bits // 8)
    number = int.from_bytes(stream[:size], "big")
    spare = 8 * size - bits
    return (number >> spare << spare).to_bytes(size, "big")


def pct1_stream(digest, bits, step):
    """H output after H output until there are |bits|."""
    stream = b""
    i = 0
    while 8 * len(stream) < bits:
        i += 1
        stream += HASH[digest](bytes([i]), step(i))
    return first_bits(stream, bits)


def pct1_bits(master, side, digest, challenge, connection_id, certificate, bits, is_mac,
              tag_repeated=False):
    tag = [[b"cw", b"svw"], [b"cmac", b"svmac"]][is_mac][side]
    parts = [connection_id] + [certificate] * (side == CLIENT) + [challenge]

    def step(i):
        lead = b"" if is_mac else tag * (i if tag_repeated else 1)
        return lead + (tag * i).join([master] + parts + [b""])

    return pct1_stream(digest, bits, step)


def des_key(bits, size):
    """Seven bits to a byte, the lowest one makes the number of ones odd."""
    number = int.from_bytes(bits, "big")
    key = []
    for n in range(size):
        seven = number >> 7 * (size - 1 - n) & 0x7f
        key.append(seven << 1 | (bin(seven).count("1") + 1) % 2)
    return bytes(key)


def pct1_sizes(cipher, bits, raw):
    """(bits derived, bits that the cipher runs with) or None."""
    full, strength, block = CIPHERS[cipher]
    if block > 8:
        return None
    standard = full if raw else strength
    if bits in (0, full, strength):
        bits = standard
    return (bits, standard) if 40 <= bits <= standard else None


def pct1_parts(digest, bits, standard):
    """How many parts the clear key has; 0 when none is needed."""
    return -(-standard // (8 * HASH_SIZE[digest])) if bits < standard else 0


def pct1_write_key(master, side, digest, challenge, connection_id, certificate, clear_key, cipher,
                   bits, raw):
    bits, standard = pct1_sizes(cipher, bits, raw)
    short = pct1_bits(master, side, digest, challenge, connection_id, certificate, bits, 0)
    parts = pct1_parts(digest, bits, standard)
    key = short
    if parts:
        part = len(clear_key) // parts

        def step(i):
            return b"sl" * i + short + b"sl" * i + clear_key[(i - 1) * part:i * part]

        key = pct1_stream(digest, standard, step)
    full, strength, _ = CIPHERS[cipher]
    return key if raw or full == strength else des_key(key, full // 8)


# ---- SSL 2.0: draft-hickman-netscape-ssl-00 ----


def ssl2_master(clear_key, secret):
    """A full master of 16 bytes gives up its first bytes for the clear ones."""
    if len(secret) == 16 and len(clear_key) <= 11:
        return clear_key + secret[len(clear_key):]
    return clear_key + secret


def ssl2_material(master, challenge, connection_id, without_digit):
    if without_digit:
        return md5(master, challenge, connection_id)
    return b"".join(md5(master, digit, challenge, connection_id) for digit in (b"0", b"1", b"2"))


def ssl2_key_size(cipher, bits):
    sizes = {"RC4": (16, (0, 40, 128)), "RC2-CBC": (16, (0, 40, 128)),
             "DES-CBC": (8, (0, 56, 64)), "DES-EDE3-CBC": (24, (0, 168, 192))}
    size, allowed = sizes.get(cipher, (0, ()))
    return size if bits in allowed else 0


def ssl2_write_key(master, side, challenge, connection_id, cipher, without_digit):
    """CLIENT-READ-KEY, the server's write key, is the first."""
    size = ssl2_key_size(cipher, 0)
    material = ssl2_material(master, challenge, connection_id,
                             cipher == "DES-CBC" and without_digit)
    return material[size:2 * size] if side == CLIENT else material[:size]


# ---- SSL 3.0: RFC 6101 ----


def ssl3_prf(secret, seed, size):
    out = b""
    for n in range(1, 27):
        out += md5(secret, sha1(bytes([0x40 + n]) * n, secret, seed))
        if len(out) >= size:
            return out[:size]
    raise ValueError("more than 26 steps")


def ssl3_finished(master, messages, sender):
    def one(h, count):
        return h(master, b"\x5c" * count, h(messages, sender, master, b"\x36" * count))

    return one(md5, 48) + one(sha1, 40)


# ---- TLS 1.0 and 1.1: RFC 2246 ----


def p_hash(digest, secret, seed, size):
    a, out = seed, b""
    while len(out) < size:
        a = hmac.digest(secret, a, digest)
        out += hmac.digest(secret, a + seed, digest)
    return out[:size]


def tls1_prf(secret, label, seed, size):
    half = (len(secret) + 1) // 2
    left = p_hash("md5", secret[:half], label + seed, size)
    right = p_hash("sha1", secret[len(secret) - half:], label + seed, size)
    return bytes(x ^ y for x, y in zip(left, right))


# ---- SSL 3.0 and TLS 1.0 together ----


def master_secret(protocol, premaster, client, server):
    if protocol == "SSL3":
        return ssl3_prf(premaster, client + server, 48)
    return tls1_prf(premaster, b"master secret", client + server, 48)


def key_block(protocol, master, client, server, size):
    if protocol == "SSL3":
        return ssl3_prf(master, server + client, size)
    return tls1_prf(master, b"key expansion", server + client, size)


def block_sizes(cipher, bits, export):
    """(bytes taken from the key block, of the final key, of the IV) or None."""
    full, strength, block = CIPHERS[cipher]
    if bits in (0, strength):
        bits = full
    variable = cipher in ("RC4", "RC2-CBC")
    if variable:
        exists = 40 <= bits <= 128 and bits % 8 == 0
    elif cipher == "DES-CBC" and export:
        exists = bits in (40, 64)
    else:
        exists = bits == full and not export
    if not exists:
        return None
    return bits // 8, (full if export else bits) // 8, block if block > 1 else 0


def block_keys(protocol, master, client, server, digest, cipher, bits, export, side):
    """(MAC secret, write key, IV) of a side."""
    mac = HASH_SIZE[digest]
    material, size, iv_size = block_sizes(cipher, bits, export)
    slices, at = [], 0
    block = key_block(protocol, master, client, server, 2 * (mac + material + iv_size))
    for width in (mac, material, iv_size):
        slices.append(block[at + side * width:at + (side + 1) * width])
        at += 2 * width
    secret, key, iv = slices
    if not export:
        return secret, key, iv
    if protocol == "SSL3":
        randoms = client + server if side == CLIENT else server + client
        return secret, md5(key, randoms)[:size], md5(randoms)[:iv_size]
    label = (b"client write key", b"server write key")[side]
    iv_block = tls1_prf(b"", b"IV block", client + server, 2 * iv_size)
    return (secret, tls1_prf(key, label, client + server, size),
            iv_block[side * iv_size:(side + 1) * iv_size])


def finished(protocol, master, side, handshake, handshake_hash, size):
    if protocol == "SSL3":
        return ssl3_finished(master, handshake, (b"CLNT", b"SRVR")[side])[:size]
    if handshake is not None:
        handshake_hash = md5(handshake) + sha1(handshake)
    label = (b"client finished", b"server finished")[side]
    return tls1_prf(master, label, handshake_hash, size)


# ---- requests to the KDFs: the rules of the interface ----

# The least and the most of octets and integers as such, whatever they are for.
OCTETS = {"secret": (0, 65535), "premaster": (1, 65535), "client-random": (1, 64),
          "server-random": (1, 64), "clear-key": (0, 8192), "certificate": (0, 32767),
          "label": (0, 65535), "seed": (0, 65535), "handshake": (0, 1 << 40),
          "handshake-hash": (36, 36)}
NUMBERS = {"cipher-bits": (1, 4096), "mac-bits": (1, 4096), "export": (0, 1),
           "relaxed-randoms": (0, 1), "record-version": (0x301, 0x302), "ssl2-des-digit": (0, 1),
           "pct-raw-des": (0, 1)}
# Parameters that not every protocol has.
ONLY = {"clear-key": ("PCT1", "SSL2"), "certificate": ("PCT1",), "pct-raw-des": ("PCT1",),
        "ssl2-des-digit": ("SSL2",), "record-version": ("TLS1",), "premaster": ("SSL3", "TLS1"),
        "label": ("SSL3", "TLS1"), "seed": ("SSL3", "TLS1"), "handshake": ("SSL3", "TLS1"),
        "handshake-hash": ("TLS1",)}
RANDOM_SIZES = {"PCT1": (32, 32), "SSL2": (16, 32), "SSL3": (32, 32), "TLS1": (32, 32)}
MASTER_SIZES = {"PCT1": (16, 16), "SSL2": (5, 32), "SSL3": (48, 48), "TLS1": (48, 48)}


def setting_faults(protocol, params):
    """What is wrong with parameters one by one."""
    faults = set()
    for name, value in params:
        if protocol not in ONLY.get(name, (protocol,)):
            faults.add(CONFLICT)
        elif name in OCTETS:
            if not OCTETS[name][0] <= len(value) <= OCTETS[name][1]:
                faults.add(LENGTH)
        elif name in NUMBERS:
            if not NUMBERS[name][0] <= value <= NUMBERS[name][1]:
                faults.add(INVALID)
        elif name == "usage":
            if value not in USAGES[protocol]:
                faults.add(USAGE)
        elif name == "cipher":
            if value not in CIPHERS:
                faults.add(ALGORITHM)
        elif name == "digest":
            if value not in HASH_SIZE:
                faults.add(ALGORITHM)
        else:
            raise ValueError(name)
    return faults


class Kdf:
    """One request: collects what is wrong, and derives when nothing is."""

    def __init__(self, protocol, params):
        self.protocol = protocol
        self.given = dict(params)
        self.usage = self.given.get("usage", "key-block")
        self.faults = set()
        self.secret = self.given.get("secret")
        self.premaster = self.given.get("premaster")
        self.client = self.given.get("client-random", b"")
        self.server = self.given.get("server-random", b"")
        self.digest = self.given.get("digest")
        self.cipher = self.given.get("cipher")
        self.bits = self.given.get("cipher-bits", 0)
        self.export = self.given.get("export", 0)
        self.clear_key = self.given.get("clear-key", b"")
        self.certificate = self.given.get("certificate", b"")
        self.is_tls1_1 = self.given.get("record-version") == 0x302
        self.raw = self.given.get("pct-raw-des", 0)
        self.without_digit = not self.given.get("ssl2-des-digit", 1)

    def fault(self, wrong, reason):
        if wrong:
            self.faults.add(reason)
        return wrong

    # what a usage needs

    def need_randoms(self):
        least, most = (1, 64) if self.given.get("relaxed-randoms") else RANDOM_SIZES[self.protocol]
        for name in ("client-random", "server-random"):
            if not self.fault(name not in self.given, MISSING):
                self.fault(not least <= len(self.given[name]) <= most, LENGTH)

    def need_master(self):
        if self.premaster is not None:
            self.fault(self.secret is not None, CONFLICT)
            self.need_randoms()
        elif not self.fault(self.secret is None, MISSING):
            least, most = MASTER_SIZES[self.protocol]
            self.fault(not least <= len(self.secret) <= most, LENGTH)
        if self.protocol == "SSL2" and self.secret is not None:
            self.fault(len(ssl2_master(self.clear_key, self.secret)) > 32, LENGTH)

    def need_digest(self):
        if self.protocol == "SSL2" or self.fault(self.digest is None, MISSING):
            return
        bits = self.given.get("mac-bits")
        if bits is None:
            return
        if self.protocol == "PCT1":
            self.fault(not 64 <= bits <= 319, INVALID)
        else:
            self.fault(bits != 8 * HASH_SIZE[self.digest], INVALID)

    def need_cipher(self):
        """Size of key and IV; zeros when there is none."""
        if self.fault(self.cipher is None, MISSING) or \
                (self.protocol != "SSL2" and self.digest is None):
            return 0, 0
        if self.protocol == "SSL2":
            size = ssl2_key_size(self.cipher, self.bits)
            self.fault(size == 0, INVALID)
            return size, 0
        if self.protocol == "PCT1":
            sizes = pct1_sizes(self.cipher, self.bits, self.raw)
            if self.fault(sizes is None, INVALID):
                return 0, 0
            parts = pct1_parts(self.digest, *sizes)
            if parts and not self.fault(not self.clear_key, MISSING):
                self.fault(len(self.clear_key) % parts != 0, LENGTH)
            return CIPHERS[self.cipher][0] // 8, 0
        self.fault(self.export and self.is_tls1_1, CONFLICT)
        sizes = block_sizes(self.cipher, self.bits, self.export)
        if self.fault(sizes is None, INVALID):
            return 0, 0
        return sizes[1], 0 if self.is_tls1_1 else sizes[2]

    def master(self):
        if self.premaster is not None:
            return master_secret(self.protocol, self.premaster, self.client, self.server)
        if self.protocol == "SSL2":
            return ssl2_master(self.clear_key, self.secret)
        return self.secret

    # answers: (the only size or None, the most or ANY, a function of the size)

    def write_key(self, side):
        self.need_master()
        self.need_randoms()
        self.need_digest()
        size, _ = self.need_cipher()

        def derive(_):
            if self.protocol == "PCT1":
                return pct1_write_key(self.secret, side, self.digest, self.client, self.server,
                                      self.certificate, self.clear_key, self.cipher, self.bits,
                                      self.raw)
            if self.protocol == "SSL2":
                return ssl2_write_key(self.master(), side, self.client, self.server, self.cipher,
                                      self.without_digit)
            return self.block_keys(side)[1]

        return size, size, derive

    def block_keys(self, side):
        return block_keys(self.protocol, self.master(), self.client, self.server, self.digest,
                          self.cipher, self.bits, self.export, side)

    def write_iv(self, side):
        self.need_master()
        self.need_randoms()
        self.need_digest()
        key_size, size = self.need_cipher()
        self.fault(key_size != 0 and size == 0, USAGE)
        return size, size, lambda _: self.block_keys(side)[2]

    def write_mac(self, side):
        self.need_master()
        self.need_randoms()
        self.need_digest()
        self.fault(self.export and self.is_tls1_1, CONFLICT)
        bits = self.given.get("mac-bits", 8 * HASH_SIZE.get(self.digest, 0))
        size = -(-bits // 8)

        def derive(_):
            if self.protocol == "PCT1":
                return pct1_bits(self.secret, side, self.digest, self.client, self.server,
                                 self.certificate, bits, 1)
            return key_block(self.protocol, self.master(), self.client, self.server,
                             2 * size)[side * size:(side + 1) * size]

        return size, size, derive

    def key_block(self):
        self.need_master()
        self.need_randoms()
        if self.protocol == "SSL2":
            without = self.without_digit and self.cipher == "DES-CBC"
            return None, 16 if without else 48, lambda size: ssl2_material(
                self.master(), self.client, self.server, without)[:size]
        return None, 416 if self.protocol == "SSL3" else ANY, lambda size: key_block(
            self.protocol, self.master(), self.client, self.server, size)

    def master_secret(self):
        if not self.fault(self.premaster is None, MISSING):
            self.need_master()
        return 48, 48, lambda _: self.master()

    def prf(self):
        seed, label = self.given.get("seed"), self.given.get("label")
        self.fault(seed is None, MISSING)
        if self.protocol == "SSL3":
            self.fault(label is not None, CONFLICT)
        if self.premaster is not None:
            self.need_master()
        else:
            self.fault(self.secret is None, MISSING)

        def derive(size):
            if self.protocol == "SSL3":
                return ssl3_prf(self.master(), seed, size)
            return tls1_prf(self.master(), label or b"", seed, size)

        return None, 416 if self.protocol == "SSL3" else ANY, derive

    def finished(self, side):
        handshake, hashed = self.given.get("handshake"), self.given.get("handshake-hash")
        self.fault(handshake is None and hashed is None, MISSING)
        self.need_master()
        return None, 36 if self.protocol == "SSL3" else ANY, lambda size: finished(
            self.protocol, self.master(), side, handshake, hashed, size)

    def certificate_verify(self):
        handshake = self.given.get("handshake")
        self.fault(handshake is None, MISSING)
        self.need_master()
        return None, 36, lambda size: ssl3_finished(self.master(), handshake, b"")[:size]

    def plan(self):
        for usages, method in ((WRITE_KEYS, self.write_key), (WRITE_IVS, self.write_iv),
                               (WRITE_MACS, self.write_mac), (FINISHED, self.finished)):
            if self.usage in usages:
                return method(usages[self.usage])
        return {"key-block": self.key_block, "master-secret": self.master_secret,
                "prf": self.prf, "certificate-verify": self.certificate_verify}[self.usage]()

    def answer(self, size):
        """(output, size that the context tells)."""
        if self.usage not in USAGES[self.protocol]:
            raise Refused({USAGE})
        only, most, derive = self.plan()
        self.fault(size == 0, LENGTH)
        if only:
            self.fault(size != only, LENGTH)
        elif only is None:
            self.fault(most != ANY and size > most, LENGTH)
        if self.faults:
            raise Refused(self.faults)
        return derive(size), most


def kdf(protocol, params, size):
    faults = setting_faults(protocol, params)
    if faults:
        raise Refused(faults)
    return Kdf(protocol, params).answer(size)


# ---- record MACs ----

LAST = {"PCT1": 0xffffffff, "SSL2": 0xffffffff, "SSL3": 2**64 - 2, "TLS1": 2**64 - 2}


def raw_mac(protocol, digest, key, data):
    h = HASH[digest]
    if protocol == "PCT1":
        return h(key, h(data))
    if protocol == "SSL2":
        return md5(key, data)
    if protocol == "SSL3":
        count = {"MD5": 48, "SHA1": 40}[digest]
        return h(key, b"\x5c" * count, h(key, b"\x36" * count, data))
    return hmac.new(key, data, digest.lower()).digest()


def record(protocol, sequence, content_type, version, data):
    """What is authenticated of a record."""
    if protocol in ("PCT1", "SSL2"):
        return data + sequence.to_bytes(4, "big")
    header = sequence.to_bytes(8, "big") + bytes([content_type])
    if protocol == "TLS1":
        header += version.to_bytes(2, "big")
    return header + len(data).to_bytes(2, "big") + data


def record_mac(protocol, digest, key, sequence, content_type, version, data):
    return raw_mac(protocol, digest, key,
                   record(protocol, sequence, content_type, version, data))


def mac(protocol, params, messages):
    """(MACs one behind the other, sequence number afterwards); messages: (told length, data)."""
    given = dict(params)
    faults = set()
    has_header = protocol in ("SSL3", "TLS1")
    digest = given.get("digest", "MD5" if protocol == "SSL2" else None)
    sequence = given.get("sequence", 0)
    record_mode = given.get("record-mode", 1 if "record-type" in given else 0)
    if digest is None:
        faults.add(MISSING)
    elif digest not in HASH_SIZE:
        faults.add(ALGORITHM)
    elif protocol == "SSL2" and digest != "MD5":
        faults.add(CONFLICT)
    if len(given["key"]) > 64 and protocol != "TLS1":
        faults.add(LENGTH)
    if not has_header and sequence > 0xffffffff:
        faults.add(INVALID)
    for name, most, protocols in (("record-type", 255, ("SSL3", "TLS1")),
                                  ("record-version", 65535, ("TLS1",)),
                                  ("record-mode", 1, (protocol,))):
        if name in given:
            if protocol not in protocols:
                faults.add(CONFLICT)
            elif given[name] > most:
                faults.add(INVALID)
    if faults:
        raise Refused(faults)
    done = b""
    for length, data in messages:
        if length is not None and not has_header:
            raise Refused({CONFLICT}, done)
        if not record_mode:
            done += raw_mac(protocol, digest, given["key"], data)
            continue
        if has_header:
            if "record-type" not in given or length is None or \
                    (protocol == "TLS1" and "record-version" not in given):
                faults.add(MISSING)
            if length is not None and length != len(data):
                faults.add(MISMATCH)
        if sequence > LAST[protocol]:
            faults.add(EXHAUSTED)
        if faults:
            raise Refused(faults, done)
        done += record_mac(protocol, digest, given["key"], sequence, given.get("record-type", 0),
                           given.get("record-version", 0), data)
        sequence = 0 if protocol == "SSL2" and sequence == LAST["SSL2"] else sequence + 1
    return done, sequence


# ---- the vector files ----


def rc4(key, data):
    s, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + s[i] + key[i % len(key)]) % 256
        s[i], s[j] = s[j], s[i]
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + s[i]) % 256
        s[i], s[j] = s[j], s[i]
        out.append(byte ^ s[(s[i] + s[j]) % 256])
    return bytes(out)


def stanzas(path):
    with open(path, encoding="ascii") as file:
        stanza = {}
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if not line:
                if stanza:
                    yield stanza
                stanza = {}
                continue
            name, separator, value = line.partition(" =")
            if not separator or name in stanza:
                raise SystemExit(f"{path}: bad line: {line}")
            stanza[name] = value.strip()
        if stanza:
            yield stanza


class Stanza:
    """Fields are taken; what was not taken in the end is unknown."""

    def __init__(self, path, fields):
        self.where = f"{os.path.basename(path)}: {fields.get('Name', fields.get('Test'))}"
        self.fields = dict(fields)
        self.unused = set(fields)
        self.values = 0

    def text(self, name):
        self.unused.discard(name)
        if name not in self.fields:
            raise SystemExit(f"{self.where}: no field {name}")
        return self.fields[name]

    def hex(self, name):
        return bytes.fromhex(self.text(name))

    def number(self, name):
        return int(self.text(name), 0)

    def has(self, name):
        return name in self.fields

    def same(self, name, actual):
        if self.hex(name) != actual:
            raise SystemExit(f"{self.where}: {name}: expected {self.text(name)}, "
                             f"got {actual.hex()}")
        self.values += 1

    def require(self, name, wanted):
        if self.text(name) != wanted:
            raise SystemExit(f"{self.where}: {name} is {self.text(name)}, not {wanted}")

    def leave(self, *names):
        """Fields that say nothing about derivations or MACs."""
        self.unused.difference_update(names)

    def end(self):
        if self.unused:
            raise SystemExit(f"{self.where}: unknown fields {sorted(self.unused)}")


ENC_ALGS = {"RC4": "RC4", "RC2": "RC2-CBC", "DES": "DES-CBC", "3DES-112": "DES-EDE-CBC",
            "3DES": "DES-EDE3-CBC", "AES-128": "AES-128-CBC", "AES-192": "AES-192-CBC",
            "AES-256": "AES-256-CBC", "RC2-CBC": "RC2-CBC", "DES-CBC": "DES-CBC",
            "DES-EDE3-CBC": "DES-EDE3-CBC"}
SIDES = ("Client", "Server")
# Ciphertexts are for tests that have the ciphers; these describe the recorded key objects.
NOT_DERIVED = ("KeyBlob", "KeyLen", "Salt", "EffectiveKeyLen", "MacKeyBlob", "Mode", "BlockLen",
               "Plaintext", "Ciphertext")


def check_connection(stanza, protocol, prefix, rfc, master):
    client, server = stanza.hex(prefix + "ClientRandom"), stanza.hex(prefix + "ServerRandom")
    digest = stanza.text(prefix + "MacAlg")
    cipher = ENC_ALGS[stanza.text(prefix + "EncAlg")]
    bits = stanza.number(prefix + "EncBits")
    export = stanza.number(prefix + "EncFlags") if stanza.has(prefix + "EncFlags") else 0
    if stanza.has(prefix + "MacBits") and \
            stanza.number(prefix + "MacBits") != 8 * HASH_SIZE[digest]:
        raise SystemExit(f"{stanza.where}: MacBits")
    stanza.same(prefix + "MasterSecret", master)
    if stanza.has(prefix + "KeyBlock"):
        stanza.same(prefix + "KeyBlock", key_block(protocol, master, client, server, 136))
    for side, name in enumerate(SIDES):
        secret, key, iv = block_keys(protocol, master, client, server, digest, cipher, bits, export,
                                     side)
        stanza.same(prefix + rfc + name + "MacKey", secret)
        stanza.same(prefix + rfc + name + "Key", key)
        if iv:
            stanza.same(prefix + rfc + name + "IV", iv)
        if stanza.has("MacData"):
            stanza.same(prefix + name + "Mac",
                        raw_mac("TLS1", digest, secret, stanza.hex("MacData")))


def leave_connection(stanza, *prefixes):
    stanza.leave("ImportVia", "RsaKey", "MasterBlob", "Checked", "DeriveFlags", "Plaintext",
                 "EffectiveKeyLen")
    for prefix in prefixes:
        stanza.leave(*(prefix + side + name for side in SIDES for name in NOT_DERIVED))
        stanza.leave(prefix + "DeriveFlags", prefix + "Result")


def check_keys(stanza):
    protocol = stanza.text("Protocol")
    quirk = stanza.has("Quirk")
    if stanza.has("Result"):
        stanza.require("Result", "OK")
    leave_connection(stanza, "", "Rfc")
    if quirk:
        # the recorded answer is odd; the RFC's stands beside it, where there is one
        stanza.leave("Quirk", *(side + name for side in SIDES for name in ("Key", "MacKey", "IV")))
    if quirk and not stanza.has("RfcClientKey"):
        stanza.leave(*stanza.fields)
        return
    master = master_secret(protocol, stanza.hex("PreMaster"), stanza.hex("ClientRandom"),
                           stanza.hex("ServerRandom"))
    check_connection(stanza, protocol, "", "Rfc" if quirk else "", master)


def check_resume(stanza):
    protocol = stanza.text("Protocol")
    master = master_secret(protocol, stanza.hex("PreMaster"), stanza.hex("Conn1ClientRandom"),
                           stanza.hex("Conn1ServerRandom"))
    for prefix in ("Conn1", "Conn2", "Conn3"):
        check_connection(stanza, protocol, prefix, "", master)
    leave_connection(stanza, "Conn1", "Conn2", "Conn3")
    stanza.leave("Result")


def check_prf(stanza):
    stanza.require("Result", "OK")
    stanza.leave("LabelText")
    stanza.same("Output", tls1_prf(stanza.hex("Secret"), stanza.hex("Label"), stanza.hex("Seed"),
                                   stanza.number("OutLen")))


def check_finished(stanza):
    sender = {"client finished": b"CLNT", "server finished": b"SRVR",
              "certificate verify": b""}[stanza.text("Kind")]
    stanza.same("Sender", sender)
    out = ssl3_finished(stanza.hex("MasterSecret"), stanza.hex("Messages"), sender)
    stanza.same("MD5", out[:16])
    stanza.same("SHA1", out[16:])
    stanza.same("Output", out)
    stanza.leave("Checked")


def check_ssl2(stanza):
    stanza.require("Protocol", "SSL2")
    cipher = ENC_ALGS[stanza.text("EncAlg")]
    challenge, connection_id = stanza.hex("Challenge"), stanza.hex("ConnectionId")
    master = ssl2_master(stanza.hex("ClearKey"), stanza.hex("SecretKey"))
    stanza.same("MasterKey", master)
    if not ssl2_key_size(cipher, stanza.number("EncBits")):
        raise SystemExit(f"{stanza.where}: EncBits")
    for side, name in ((CLIENT, "ClientWrite"), (SERVER, "ClientRead")):
        key = ssl2_write_key(master, side, challenge, connection_id, cipher, True)
        stanza.same(name + "Key", key)
        if cipher == "RC4":
            stanza.same(name + "Ciphertext", rc4(key, stanza.hex("Plaintext")))
        if cipher == "DES-CBC":
            stanza.same("Digit" + name + "Key", ssl2_write_key(master, side, challenge,
                                                               connection_id, cipher, False))
        stanza.leave(name + "Ciphertext")
    stanza.leave("Checked", "IV", "EffectiveKeyLen", "Plaintext")


def check_pct1(stanza):
    stanza.require("Protocol", "PCT1")
    digest, cipher = stanza.text("Hash"), ENC_ALGS[stanza.text("EncAlg")]
    bits, master = stanza.number("KeyBits"), stanza.hex("MasterKey")
    common = (digest, stanza.hex("Challenge"), stanza.hex("ConnectionId"),
              stanza.hex("Certificate"))
    for side, name in enumerate(SIDES):
        stanza.same(name + "WriteKey", pct1_bits(master, side, *common, bits, 0))
        stanza.same(name + "Key", pct1_write_key(master, side, *common, stanza.hex("ClearKey"),
                                                 cipher, bits, False))
        stanza.same(name + "MacKey", pct1_bits(master, side, *common, stanza.number("MacBits"), 1))
    stanza.leave("Checked")


def check_session(stanza):
    """Keys and MACs of what real peers sent; RC4 is decrypted too."""
    stanza.require("Verified", "yes")
    protocol, cipher = stanza.text("Alg"), ENC_ALGS[stanza.text("Cipher")]
    client, server = stanza.hex("ClientRandom"), stanza.hex("ServerRandom")
    secret = stanza.hex("Secret")
    stanza.leave("Source", "Op")
    for side, name in enumerate(SIDES):
        digest = "MD5" if protocol == "SSL2" else stanza.text("Digest")
        if protocol == "SSL2":
            master = ssl2_master(stanza.hex("ClearKey"), secret)
            key = mac_key = ssl2_write_key(master, side, client, server, cipher, False)
            stanza.leave("IV")
        else:
            mac_key, key, iv = block_keys(protocol, secret, client, server, digest, cipher,
                                          stanza.number("CipherBits"),
                                          stanza.number("Export"), side)
            stanza.same(name + "WriteMac", mac_key)
            stanza.same(name + "IV", iv)
        stanza.same(name + "WriteKey", key)
        sent = b""
        for n in itertools.count(1):
            if not stanza.has(f"{name}Record{n}"):
                break
            plain = stanza.hex(f"{name}Plaintext{n}")
            if protocol == "SSL2":
                sequence, content_type, version = stanza.number(f"{name}Sequence{n}"), 0, 0
                stanza.number(f"{name}Padding{n}")
            else:
                sequence, content_type = n - 1, stanza.number(f"{name}Type{n}")
                version = int.from_bytes(stanza.hex(f"{name}Version{n}"), "big")
            stanza.same(f"{name}Mac{n}", record_mac(protocol, digest, mac_key, sequence,
                                                    content_type, version, plain))
            clear = stanza.hex(f"{name}Mac{n}") + plain
            stanza.leave(f"{name}Record{n}")
            if cipher == "RC4":
                stream = rc4(key, sent + clear)[len(sent):]
                stanza.same(f"{name}Record{n}", stream)
                sent += clear


CHECKS = {"SchannelKeys": check_keys, "SchannelResume": check_resume, "TLS1PRF": check_prf,
          "Ssl3Finished": check_finished, "Ssl2Keys": check_ssl2, "Pct1Keys": check_pct1}
# Tests of vectors/README.md that are not about the keys or MACs of a protocol.
OTHERS = {"SHAMD5", "DeriveKey", "SimpleBlob", "PlaintextKeyBlob", "RsaBlob", "MidStream", "Sign",
          "ImportError", "ApiState", "ApiLength", "GenKey", "ExponentOne"}


# Files about something else than derivations: blobs, whole recorded handshakes, signers' keys, ciphers.
OTHER_FILES = ("golden-", "session-", "signers", "openssl-")


def check_files(directory):
    total = 0
    for file in sorted(os.listdir(directory)):
        if not file.endswith(".txt") or file.startswith(OTHER_FILES):
            continue
        values = count = others = empty = 0
        path = os.path.join(directory, file)
        for fields in stanzas(path):
            stanza = Stanza(path, fields)
            if fields["Test"] in OTHERS:
                others += 1
                continue
            check = check_session if fields.get("Op") == "session" else CHECKS.get(fields["Test"])
            if check is None:
                raise SystemExit(f"{stanza.where}: unknown test {fields['Test']}")
            stanza.leave("Test", "Name")
            check(stanza)
            stanza.end()
            values += stanza.values
            count += 1
            empty += stanza.values == 0
        if others:
            print(f"{file}: {others} stanzas about other things")
        if count:
            print(f"{file}: {values} values of {count} stanzas" +
                  (f", {empty} without an answer of the RFC" if empty else ""))
        total += values
    return total


def expect(actual, text):
    expected = bytes.fromhex(text)
    if actual != expected:
        raise SystemExit(f"expected {text}, got {actual.hex()}")


def check_published():
    """The values printed in the drafts' and RFCs' own traces and in vector collections."""
    b = bytes.fromhex
    pm = b("030043c00615e40ae7fab08f6c95d76ba677309ab80d0254b98421330b9d4621ecc79bd0d76ce3b53ff96"
           "41be0fe5b83")
    client = bytes(16) + b("9006466920816408bab43f9f81fa5b20")
    server = b("340287248eeabdf7c28cfcfe395490bb06fe48b4a207fc9d2ad2d92c848258be")
    ms = master_secret("SSL3", pm, client, server)
    expect(ms, "f66398c5c484e0c4c1e74b2def629cf9fd493007ce6cb700ad0023a50d2e40b288074f19ac52b643"
               "6177d787bb179cc4")
    mac_key, key, _ = block_keys("SSL3", ms, client, server, "MD5", "RC4", 40, 1, CLIENT)
    expect(key, "3210cde1d6dc0783f3754c322e599661")
    message = b("14000024f240103f7463eae87a2723565f5907d2a3795db78b94dbcffaf51822157bf24a96529a0e")
    mac_value = record_mac("SSL3", "MD5", mac_key, 0, 22, 0, message)
    expect(mac_value, "d309de2884a7075c7c0c08856b4f6304")
    expect(rc4(key, message + mac_value),
           "ed377f16d311e8a3e12a20b788f611f3a67d37f717ac6720b80e88d1a0c683e480e8c7e30b91293029e428"
           "47b740a4d13cda82b7b39f6710")
    _, key, _ = block_keys("SSL3", ms, client, server, "MD5", "RC4", 40, 1, SERVER)
    expect(key, "ed0e56c8951237b621171c727991121e")
    _, _, iv = block_keys("SSL3", ms, client, server, "MD5", "RC2-CBC", 40, 1, SERVER)
    expect(iv, "5cd80b03e85cd0d9")
    # NIST's TLS KDF vectors
    ms = master_secret("TLS1", b("bded7fa5c1699c010be23dd06ada3a48349f21e5f86263d512c0c5cc379f0e78"
                                 "0ec55d9844b2f1db02a96453513568d0"),
                       b("e5acaf549cd25c22d964c0d930fa4b5261d2507fad84c33715b7b9a864020693"),
                       b("135e4d557fdf3aa6406d82975d5c606a9734c9334b42136e96990fbd5358cdb2"))
    expect(ms, "2f6962dfbc744c4b2138bb6b3d33054c5ecc14f24851d9896395a44ab3964efc2090c5bf51a0891209"
               "f46c1e1e998f62")
    # computed from the formulas by others: TLS 1.0 export
    ms, client, server = bytes(range(48)), bytes(range(0x40, 0x60)), bytes(range(0x80, 0xa0))
    for side, key, iv, verify in ((CLIENT, "7b951fee17f39477f67298fec48af103", "a1954aa00f605f6c",
                                   "54a203053070e439e5482ba6"),
                                  (SERVER, "7b42d600ccc222bb40dce9574152d38a", "b14dbdf693dd0bd8",
                                   "b15d7865b01f0dcfd72cd6e7")):
        keys = block_keys("TLS1", ms, client, server, "SHA1", "RC2-CBC", 40, 1, side)
        expect(keys[1], key)
        expect(keys[2], iv)
        expect(finished("TLS1", ms, side, b"handshake", None, 12), verify)
    # PCT 1.0 and both readings of its leading tag
    pct = (bytes(range(16)), CLIENT, "MD5", bytes(range(0x20, 0x40)), bytes(range(0x60, 0x80)),
           b"PCT server certificate")
    expect(pct1_bits(*pct, 168, 0), "0df1588924a512237a356e88d7a6358b8a5230c67a")
    expect(pct1_bits(*pct, 168, 0, tag_repeated=True),
           "0df1588924a512237a356e88d7a6358b27b8a3312b")
    expect(pct1_bits(*pct, 160, 1), "f830e44160f64543e7ff6cac72c05403bdf9d36c")
    expect(pct1_write_key(*pct, b"", "DES-EDE3-CBC", 0, 0),
           "0df857109225942523bc8cade9465e4c34c4e34a238619f4")
    expect(pct1_write_key(*pct, bytes(range(0xa0, 0xab)), "RC4", 40, 0),
           "c24f210877b30b983faadfdea6111ddc")
    # SSL 2.0
    challenge, connection_id = bytes(range(0x10, 0x20)), bytes(range(0x30, 0x40))
    expect(ssl2_material(bytes(range(16)), challenge, connection_id, False),
           "70e16c433ad6bb6d0dc8c61cb0735d615ee3a45d1cd691391d2573f5d18dd286"
           "d8f31030c9c048f7f99fd4822d6b835a")
    expect(ssl2_material(bytes(range(8)), challenge, connection_id, True),
           "6e78c2879456180f8b95ec7462fcdfce")
    # record MACs
    expect(record_mac("SSL2", "MD5", b("5ee3a45d1cd691391d2573f5d18dd286"), 3, 0, 0, b"hello"),
           "ec7906755c8d3e5fd819512ee5e1fccd")
    expect(record_mac("PCT1", "MD5", b("f830e44160f64543e7ff6cac72c05403"), 2, 0, 0, b"hello"),
           "8da3828c94d677e1a3debb0b68e9c803")
    expect(record_mac("SSL3", "SHA1", bytes(range(20)), 0, 0x17, 0, b"hello"),
           "2cbf31c4ffd93a78a9d6ee328a975d0393213d30")
    expect(record_mac("TLS1", "SHA1", bytes(range(20)), 0, 0x17, 0x301, b"hello"),
           "b93da3fdf9dd3bb5ad401cc1e6ec33858a033768")
    expect(record_mac("TLS1", "MD5", bytes(range(16)), 0, 0x17, 0x301, b"hello"),
           "95a4549583f41e0de8de87d93ec5731e")


def check(directory):
    """Every vector there is; raises SystemExit on the first that does not come out."""
    check_published()
    if check_files(directory) == 0:
        raise SystemExit(f"{directory}: no vectors")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "--check":
        raise SystemExit(__doc__)
    check(sys.argv[2])
