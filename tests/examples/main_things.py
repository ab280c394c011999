#!/usr/bin/env python3
"""The main things that the schannel provider does, from Python, with nothing but the openssl program.

Usage: main_things.py    everything happens in a temporary directory; says what it has done
"""
import os
import subprocess
import tempfile

PROVIDERS = ["-provider", "default", "-provider", "schannel"]


class Refused(Exception):
    """What the provider said."""


def openssl(command, *arguments, data=b""):
    """Standard output of a command; Refused with the provider's own line when it fails."""
    run = subprocess.run(["openssl", command, *PROVIDERS, *arguments], input=data, capture_output=True,
                         check=False)
    if run.returncode == 0:
        return run.stdout
    lines = [line for line in run.stderr.decode().splitlines() if ":schannel:" in line]
    raise Refused(lines[0].split(":schannel:")[1] if lines else run.stderr.decode())


def options(word, values):
    """{"cipher": "RC4", "secret": bytes} as -pkeyopt cipher:RC4 -pkeyopt hexsecret:..."""
    arguments = []
    for name, value in values.items():
        text = f"hex{name}:{value.hex()}" if isinstance(value, bytes) else f"{name}:{value}"
        arguments += [word, text]
    return arguments


def generate(path, **values):
    """A key of its own; parameters with underscores for dashes."""
    values = {name.replace("_", "-"): value for name, value in values.items()}
    openssl("genpkey", "-algorithm", "SCHANNEL", *options("-pkeyopt", values), "-out", path)


def generate_from(template, path, **values):
    """A key derived from a master, or a duplicate of a key with options of its blob."""
    values = {name.replace("_", "-"): value for name, value in values.items()}
    openssl("genpkey", "-paramfile", template, *options("-pkeyopt", values), "-out", path)


def derive_the_keys_of_a_connection():
    """Four session keys of a TLS 1.0 master, which the program never sees."""
    randoms = {"client_random": os.urandom(32), "server_random": os.urandom(32)}
    generate("master.pem", alg="TLS1-MASTER", secret=os.urandom(48), cipher="AES-128-CBC",
             digest="SHA1", **randoms)
    for usage in ("client-write-key", "server-write-key", "client-write-mac", "server-write-mac"):
        generate_from("master.pem", usage + ".pem", usage=usage)
    text = openssl("pkey", "-in", "server-write-mac.pem", "-noout", "-text").decode()
    return text.splitlines()[0]


def authenticate_a_record():
    """A MAC over a whole record, checked by the other side's copy of the key."""
    with open("record", "wb") as record:
        record.write(b"hello, application")
    record_options = options("-sigopt", {"record-type": 23, "record-version": 769})
    openssl("dgst", "-sign", "client-write-mac.pem", *record_options, "-out", "record.mac", "record")
    said = openssl("dgst", "-prverify", "client-write-mac.pem", *record_options, "-signature",
                   "record.mac", "record")
    return said.decode().strip()


def encrypt_a_message():
    """CryptEncrypt and CryptDecrypt of a whole message."""
    sealed = openssl("pkeyutl", "-encrypt", "-inkey", "client-write-key.pem", data=b"a message")
    return openssl("pkeyutl", "-decrypt", "-inkey", "client-write-key.pem", data=sealed).decode()


def hand_a_key_over():
    """A blob that opens once, for one receiver."""
    generate_from("server-write-key.pem", "transfer.pem", blob_mode="transfer", lifetime=30,
                  audience="worker-1")
    uri = f"schannel://{os.getcwd()}/transfer.pem?audience=worker-1"
    openssl("pkey", "-in", uri, "-out", "received.pem")
    try:
        openssl("pkey", "-in", uri, "-out", "again.pem")
    except Refused as refused:
        return str(refused).split(":")[1]
    return "opened twice"


def give_a_key_to_a_colleague():
    """A session key under an RSA key, as CryptoAPI's SIMPLEBLOB."""
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
                    "rsa_keygen_bits:2048", "-out", "bob.pem"], check=True)
    generate("session.pem", alg="AES-256-CBC", exportable=1)
    generate_from("session.pem", "envelope.pem", blob="simpleblob", exchange_key="bob.pem")
    letter = openssl("pkeyutl", "-encrypt", "-inkey", "session.pem", data=b"a letter")
    uri = f"schannel://{os.getcwd()}/envelope.pem?exchange-key=bob.pem"
    return openssl("pkeyutl", "-decrypt", "-inkey", uri, data=letter).decode()


def derive_without_keys():
    """The bytes of a derivation: what a handshake's Finished holds."""
    values = {"secret": bytes(48), "usage": "finished-client", "handshake": b"the messages"}
    finished = openssl("kdf", "-binary", "-keylen", "12", *options("-kdfopt", values), "TLS1-KDF")
    return f"{len(finished)} bytes"


def list_what_is_stored():
    """Every blob of a directory, opened or not."""
    listing = openssl("storeutl", "-noout", "-text", f"schannel://{os.getcwd()}").decode()
    return f"{listing.count('Name:')} blobs"


def main():
    """Runs all of it."""
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            os.environ[name] = directory # sealing keys of this run
        for thing in (derive_the_keys_of_a_connection, authenticate_a_record, encrypt_a_message,
                      hand_a_key_over, give_a_key_to_a_colleague, derive_without_keys,
                      list_what_is_stored):
            print(f"{thing.__name__.replace('_', ' ')}: {thing()}")
        os.chdir("/")


main()
