#!/usr/bin/env python3
"""Decrypts a recorded SSL 3.0, TLS 1.0 or TLS 1.1 session from a key log, with the openssl program alone.

Usage: decrypt_recording.py KEYLOG CLIENT-STREAM SERVER-STREAM OUTPUT-PREFIX

The streams are the bytes that went over the connection, one way each ("follow TCP stream" of a packet
capture).  The key log is SSLKEYLOGFILE's: CLIENT_RANDOM with the master secret, or RSA with the premaster
secret.  Writes the application data to PREFIX.client and PREFIX.server, and fails if a record's MAC is
wrong.
"""
import subprocess
import sys

# Cipher suites: cipher, digest of the MAC; export ciphers have 40 secret bits.
SUITES = {
    0x0003: ("RC4", "MD5", 40), 0x0004: ("RC4", "MD5", 0), 0x0005: ("RC4", "SHA1", 0),
    0x0006: ("RC2-CBC", "MD5", 40), 0x0008: ("DES-CBC", "SHA1", 40), 0x0009: ("DES-CBC", "SHA1", 0),
    0x000A: ("DES-EDE3-CBC", "SHA1", 0), 0x002F: ("AES-128-CBC", "SHA1", 0),
    0x0035: ("AES-256-CBC", "SHA1", 0), 0xC011: ("RC4", "SHA1", 0), 0xC012: ("DES-EDE3-CBC", "SHA1", 0),
    0xC013: ("AES-128-CBC", "SHA1", 0), 0xC014: ("AES-256-CBC", "SHA1", 0),
}
SIZES = {"RC4": (16, 0), "RC2-CBC": (16, 8), "DES-CBC": (8, 8), "DES-EDE3-CBC": (24, 8),
         "AES-128-CBC": (16, 16), "AES-256-CBC": (32, 16)}  # bytes of key and IV
CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA = 20, 22, 23
CLIENT_HELLO, SERVER_HELLO, CLIENT_KEY_EXCHANGE = 1, 2, 16


def openssl(command, options, *arguments, data=b""):
    """What a command of openssl prints."""
    run = subprocess.run(["openssl", command, "-provider", "default", "-provider", "schannel", *options,
                          *arguments], input=data, capture_output=True, check=False)
    if run.returncode != 0:
        sys.exit(run.stderr.decode())
    return run.stdout


def records(stream):
    """Type and fragment of each record."""
    at = 0
    while at < len(stream):
        size = int.from_bytes(stream[at + 3:at + 5], "big")
        yield stream[at], stream[at + 5:at + 5 + size]
        at += 5 + size


def handshake_messages(stream):
    """Type and body of each handshake message before the ChangeCipherSpec."""
    data = b""
    for kind, fragment in records(stream):
        if kind == CHANGE_CIPHER_SPEC:
            break
        data += fragment if kind == HANDSHAKE else b""
    while data:
        size = int.from_bytes(data[1:4], "big")
        yield data[0], data[4:4 + size]
        data = data[4 + size:]


def secret_of(keylog, client_random, key_exchange):
    """The option that gives the session's secret to a KDF."""
    for line in keylog.splitlines():
        words = line.split()
        if len(words) == 3 and words[:2] == ["CLIENT_RANDOM", client_random.hex()]:
            return "hexsecret:" + words[2]
        # in TLS two bytes of length stand before the encrypted premaster secret
        if len(words) == 3 and words[0] == "RSA" and words[1] in (key_exchange[:8].hex(),
                                                                  key_exchange[2:10].hex()):
            return "hexpremaster:" + words[2]
    sys.exit("the key log has no secret of this session")


class Session:
    """What both directions have in common."""

    def __init__(self, keylog, client, server):
        client_hello = dict(handshake_messages(client))
        server_hello = dict(handshake_messages(server))[SERVER_HELLO]
        client_random, server_random = client_hello[CLIENT_HELLO][2:34], server_hello[2:34]
        self.version = int.from_bytes(server_hello[:2], "big")
        at = 35 + server_hello[34]  # behind the session id
        self.cipher, self.digest, bits = SUITES[int.from_bytes(server_hello[at:at + 2], "big")]
        self.protocol = "SSL3" if self.version == 0x300 else "TLS1"
        self.options = [secret_of(keylog, client_random, client_hello.get(CLIENT_KEY_EXCHANGE, b"")),
                        "hexclient-random:" + client_random.hex(),
                        "hexserver-random:" + server_random.hex(),
                        "cipher:" + self.cipher, "digest:" + self.digest]
        if bits:
            self.options += ["cipher-bits:%d" % bits, "export:1"]
        if self.version == 0x302:
            self.options += ["record-version:770"]

    def derive(self, usage, size):
        """One key of the connection."""
        options = [word for option in [*self.options, "usage:" + usage] for word in ("-kdfopt", option)]
        return openssl("kdf", options, "-binary", "-keylen", str(size), self.protocol + "-KDF")

    def decrypt(self, stream, side):
        """The fragments behind the ChangeCipherSpec, decrypted: type and plaintext with MAC and padding.

        Stream and chain run on from record to record, so that all are decrypted at once."""
        protected, after = [], False
        for kind, fragment in records(stream):
            protected += [(kind, fragment)] if after else []
            after = after or kind == CHANGE_CIPHER_SPEC
        key_size, iv_size = SIZES[self.cipher]
        options = ["-SCHANNEL-" + self.cipher, "-d", "-K", self.derive(side + "-write-key", key_size).hex()]
        if iv_size:
            iv = bytes(iv_size) if self.version == 0x302 else self.derive(side + "-write-iv", iv_size)
            options += ["-iv", iv.hex(), "-nopad"]
        plain = openssl("enc", options, data=b"".join(fragment for _, fragment in protected))
        for kind, fragment in protected:
            explicit = iv_size if self.version == 0x302 else 0
            yield kind, plain[explicit:len(fragment)]
            plain = plain[len(fragment):]

    def application_data(self, stream, side):
        """The checked plaintext of one direction."""
        mac_size = {"MD5": 16, "SHA1": 20}[self.digest]
        mac_key = self.derive(side + "-write-mac", mac_size).hex()
        data = b""
        for number, (kind, plain) in enumerate(self.decrypt(stream, side)):
            if SIZES[self.cipher][1]:
                plain = plain[:-1 - plain[-1]]
            text, mac = plain[:-mac_size], plain[-mac_size:]
            options = ["hexkey:" + mac_key, "digest:" + self.digest, "sequence:%d" % number,
                       "record-type:%d" % kind, "record-length:%d" % len(text)]
            if self.protocol == "TLS1":
                options += ["record-version:%d" % self.version]
            words = [word for option in options for word in ("-macopt", option)]
            if openssl("mac", words, "-binary", self.protocol + "-MAC", data=text) != mac:
                sys.exit("record %d of the %s: the MAC is wrong" % (number, side))
            data += text if kind == APPLICATION_DATA else b""
        return data


def main():
    """See the usage."""
    with open(sys.argv[1], encoding="ascii") as keylog, open(sys.argv[2], "rb") as client, \
            open(sys.argv[3], "rb") as server:
        streams = {"client": client.read(), "server": server.read()}
        session = Session(keylog.read(), streams["client"], streams["server"])
    for side, stream in streams.items():
        with open(sys.argv[4] + "." + side, "wb") as output:
            output.write(session.application_data(stream, side))


if len(sys.argv) != 5:
    sys.exit(__doc__)
main()
