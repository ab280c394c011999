#!/usr/bin/env python3
"""Asks the provider and the second implementation the same, at random, and compares the answers.

    compare.py --answer PROGRAM --vectors DIRECTORY [--seed N] [--count N]
               [--only PROTOCOL/KIND --index N]

First second.py replays the vector files.  Then every protocol gets --count requests to its KDF and
a third as many to its MAC, right and wrong ones; both have to give the same bytes, or both have to
refuse, the provider for a reason that second.py finds too.  Every request is made from the seed,
its protocol and its number alone: --only and --index ask one again.  Ends at the first difference.
"""

import argparse
import collections
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing is written beside the sources

import second  # noqa: E402

PROTOCOLS = ("PCT1", "SSL2", "SSL3", "TLS1")
MACS_PER_KDF = 3


# ---- values ----


def octets(rng, size):
    return rng.getrandbits(8 * size).to_bytes(size, "big") if size else b""


def some_size(rng, most):
    """Small ones and those about the blocks of a digest more often than the others."""
    kind = rng.randrange(4)
    if kind == 0:
        return min(rng.randrange(4), most)
    if kind == 1:
        return min(max(0, rng.choice((16, 20, 32, 48, 55, 56, 63, 64, 65, 128)) +
                       rng.randrange(-1, 2)), most)
    return rng.randrange(most + 1)


def random_octets(rng, most):
    return octets(rng, some_size(rng, most))


def cipher_bits(rng, protocol, cipher, export):
    """A size that the cipher has, most of the time; 0 is none."""
    full, strength, _ = second.CIPHERS[cipher]
    kind = rng.randrange(12)
    if kind == 0:
        return rng.randrange(1, 300)
    if kind < 3:
        return 0
    if protocol == "PCT1":
        return rng.choice((full, strength, 40, 56, 64, rng.randrange(40, full + 1)))
    if protocol == "SSL2":
        return rng.choice((full, strength, 40) if cipher in ("RC4", "RC2-CBC")
                          else (full, strength))
    if cipher in ("RC4", "RC2-CBC"):
        return rng.choice((40, 56, 128, 8 * rng.randrange(5, 17)))
    if cipher == "DES-CBC" and export:
        return rng.choice((40, 56, 64))
    return rng.choice((full, strength))


# ---- requests to a KDF ----


class Maker:
    """One request from its number."""

    def __init__(self, seed, protocol, kind, index):
        self.protocol = protocol
        self.rng = random.Random(f"{seed}/{protocol}/{kind}/{index}")

    def ciphers(self):
        names = {"PCT1": list(second.CIPHERS)[:5],
                 "SSL2": ["RC4", "RC2-CBC", "DES-CBC", "DES-EDE3-CBC"]}
        names = names.get(self.protocol, list(second.CIPHERS))
        return list(second.CIPHERS) if self.rng.randrange(15) == 0 else names

    def random_size(self):
        least, most = second.RANDOM_SIZES[self.protocol]
        return self.rng.randrange(least, most + 1)

    def randoms(self, params):
        relaxed = self.rng.randrange(6) == 0
        for name in ("client-random", "server-random"):
            size = self.rng.randrange(1, 65) if relaxed else self.random_size()
            params[name] = octets(self.rng, size)
        if relaxed:
            params["relaxed-randoms"] = 1

    def master(self, params):
        least, most = second.MASTER_SIZES[self.protocol]
        size = self.rng.randrange(least, most + 1)
        if self.protocol == "SSL2":
            size = self.rng.choice((5, 8, 16, 16, 24, size))
            if size == 5 or self.rng.randrange(4) == 0:
                params["clear-key"] = octets(self.rng, self.rng.choice(
                    (11, self.rng.randrange(33 - size), self.rng.randrange(34))))
        if self.protocol in ("SSL3", "TLS1") and self.rng.randrange(3) == 0:
            params["premaster"] = octets(self.rng, self.rng.choice(
                (48, 48, 1, 2, 128, self.rng.randrange(1, 300))))
        else:
            params["secret"] = octets(self.rng, size)

    def algorithms(self, params):
        rng = self.rng
        export = rng.randrange(3) == 0
        names = self.ciphers()
        if export and self.protocol in ("SSL3", "TLS1") and rng.randrange(8) != 0:
            names = ["RC4", "RC2-CBC", "DES-CBC"]
        params["cipher"] = rng.choice(names)
        bits = cipher_bits(rng, self.protocol, params["cipher"], export)
        if bits:
            params["cipher-bits"] = bits
        if export or rng.randrange(5) == 0:
            params["export"] = int(export)
        if self.protocol != "SSL2" or rng.randrange(6) == 0:
            params["digest"] = rng.choice(("MD5", "SHA1"))
            if rng.randrange(3) == 0:
                params["mac-bits"] = 8 * second.HASH_SIZE[params["digest"]]
                if self.protocol == "PCT1":
                    params["mac-bits"] = rng.choice((128, 160, rng.randrange(64, 320)))
        if self.protocol == "PCT1":
            self.pct1_extras(params)
        if self.protocol == "SSL2" and rng.randrange(3) == 0:
            params["ssl2-des-digit"] = rng.randrange(2)
        if self.protocol == "TLS1" and rng.randrange(5) == 0:
            params["record-version"] = rng.choice((0x301, 0x302))

    def pct1_extras(self, params):
        rng = self.rng
        if rng.randrange(4) == 0:
            params["pct-raw-des"] = rng.randrange(2)
        if rng.randrange(8) != 0:
            params["certificate"] = random_octets(rng, 1500)
        sizes = second.pct1_sizes(params["cipher"], params.get("cipher-bits", 0),
                                  params.get("pct-raw-des", 0))
        parts = second.pct1_parts(params["digest"], *sizes) if sizes else 1
        if parts or rng.randrange(8) == 0:
            params["clear-key"] = octets(rng, (parts or 1) * rng.choice(
                (11, rng.randrange(1, 20), rng.randrange(1, 100))))
            if rng.randrange(20) == 0:
                params["clear-key"] += b"x"

    def others(self, params):
        """What the PRF and the Finished hashes take."""
        rng = self.rng
        usage = params["usage"]
        stray = rng.randrange(10) == 0
        if usage == "prf" or stray:
            params["seed"] = random_octets(rng, 200)
            if self.protocol == "TLS1" and rng.randrange(8) != 0:
                params["label"] = rng.choice((b"key expansion", b"master secret",
                                              random_octets(rng, 40)))
            if "secret" in params and usage == "prf":
                params["secret"] = random_octets(rng, 300)
        if usage in {**second.FINISHED, **second.VERIFY} or stray:
            if self.protocol == "TLS1" and rng.randrange(3) == 0:
                params["handshake-hash"] = octets(rng, 36)
            else:
                params["handshake"] = random_octets(rng, 3000)

    def size(self, params):
        """The output's size: the right one, most of the time."""
        rng = self.rng
        try:
            only, most, _ = second.Kdf(self.protocol, list(params.items())).plan()
        except (KeyError, ValueError, TypeError):
            only, most = None, 48
        if rng.randrange(25) == 0:
            return rng.randrange(0, 500)
        if only is not None:
            return only
        if most == second.ANY:
            return rng.choice((12, 48, 104, 1 + some_size(rng, 500)))
        return rng.choice((most, rng.randrange(1, most + 1)))

    def kdf(self):
        params = {}
        usages = list(second.USAGES[self.protocol])
        params["usage"] = self.rng.choice(usages)
        self.master(params)
        self.randoms(params)
        self.algorithms(params)
        if self.protocol in ("SSL3", "TLS1"):
            self.others(params)
        if params["usage"] == "master-secret" and "secret" in params:
            params["premaster"] = params.pop("secret")
        if params["usage"] == "key-block" and self.rng.randrange(2):
            del params["usage"]
        for name in [name for name in params if self.rng.randrange(60) == 0]:
            del params[name]
        size = self.size(params)
        if self.rng.randrange(5) == 0:
            self.damage(params)
        items = list(params.items())
        self.rng.shuffle(items)
        return items, size

    def damage(self, params):
        """Something that is wrong by itself, or that the protocol does not have."""
        rng = self.rng
        name, value = rng.choice((
            ("cipher", rng.choice(("AES-128-GCM", "RC5", "", "DES"))),
            ("digest", rng.choice(("SHA256", "", "MD4"))),
            ("usage", rng.choice(("server-key", "", "key-block", "client-write-mac", "prf",
                                  "client-write-iv", "finished-client", "master-secret",
                                  "certificate-verify"))),
            ("cipher-bits", rng.choice((0, 41, 127, 4097, 2**32, 2**64 - 1))),
            ("mac-bits", rng.choice((0, 63, 64, 127, 320, 4097))),
            ("export", rng.choice((1, 2))),
            ("relaxed-randoms", 2),
            ("record-version", rng.choice((0x300, 0x301, 0x302, 0x303))),
            ("client-random", octets(rng, rng.choice((0, 15, 31, 33, 64, 65)))),
            ("server-random", octets(rng, rng.choice((0, 15, 31, 33, 64, 65)))),
            ("secret", octets(rng, rng.choice((0, 4, 15, 17, 33, 47, 49)))),
            ("premaster", octets(rng, rng.choice((0, 48)))),
            ("clear-key", octets(rng, rng.choice((0, 1, 11, 28, 33)))),
            ("certificate", octets(rng, rng.choice((0, 9)))),
            ("label", b"a label"),
            ("seed", b"a seed"),
            ("handshake", b"handshake"),
            ("handshake-hash", octets(rng, rng.choice((35, 36, 37)))),
            ("ssl2-des-digit", rng.choice((0, 1, 2))),
            ("pct-raw-des", rng.choice((0, 1, 2))),
        ))
        if name == "handshake" and "handshake-hash" in params or \
                name == "handshake-hash" and "handshake" in params:
            return  # the later one counts; nothing here says which that is
        params[name] = value

    # ---- requests to a MAC ----

    def mac(self):
        rng = self.rng
        params = {"key": octets(rng, rng.choice((16, 20, rng.randrange(1, 65))))}
        has_header = self.protocol in ("SSL3", "TLS1")
        if self.protocol == "TLS1" and rng.randrange(4) == 0:
            params["key"] = octets(rng, rng.randrange(0, 200))
        if self.protocol != "SSL2" or rng.randrange(4) == 0:
            params["digest"] = "MD5" if self.protocol == "SSL2" else rng.choice(("MD5", "SHA1"))
        is_record = rng.randrange(3) != 0
        if is_record and has_header:
            params["record-type"] = rng.choice((20, 21, 22, 23, rng.randrange(256)))
            if self.protocol == "TLS1":
                params["record-version"] = rng.choice((0x301, 0x302, rng.randrange(65536)))
        if is_record and (not has_header or rng.randrange(4) == 0):
            params["record-mode"] = 1
        last = second.LAST[self.protocol]
        if rng.randrange(3) != 0:
            params["sequence"] = rng.choice((0, 1, 255, 65536, rng.randrange(last), last, last - 1,
                                             last - 2))
        messages = []
        for _ in range(rng.randrange(1, 5)):
            data = random_octets(rng, rng.choice((100, 2000)))
            length = len(data) if is_record and has_header else None
            if rng.randrange(60) == 0:
                length = rng.choice((None, len(data) + 1, 0))
            messages.append((length, data))
        if rng.randrange(8) == 0:
            self.damage_mac(params)
        items = list(params.items())
        rng.shuffle(items)
        return items, messages

    def damage_mac(self, params):
        rng = self.rng
        name, value = rng.choice((
            ("digest", rng.choice(("SHA256", "SHA1", ""))),
            ("digest", None),
            ("key", octets(rng, rng.choice((65, 100)))),
            ("sequence", rng.choice((2**32, 2**64 - 1))),
            ("record-type", rng.choice((0, 256))),
            ("record-version", rng.choice((0, 65536))),
            ("record-mode", rng.choice((0, 1, 2))),
            ("record-type", None),
            ("record-version", None),
        ))
        if value is None:
            params.pop(name, None)
        else:
            params[name] = value


# ---- asking both ----


def written(value):
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def request_line(kind, protocol, items, more):
    words = [kind, protocol]
    if kind == "kdf":
        words.append(f"keylen={more}")
    words += [f"{name}={written(value)}" for name, value in items]
    if kind == "mac":
        for length, data in more:
            if length is not None:
                words.append(f"length={length}")
            words.append(f"data={data.hex()}")
    return " ".join(words)


def second_answer(kind, protocol, items, more):
    """("ok", "HEX SIZE") or ("no", reasons, "HEX")."""
    try:
        out, told = (second.kdf if kind == "kdf" else second.mac)(protocol, items, more)
    except second.Refused as refused:
        return "no", {reason.replace(" ", "-") for reason in refused.reasons}, \
            refused.done.hex() or "-"
    return "ok", f"{out.hex() or '-'} {told}"


def agree(expected, line):
    words = line.split(" ")
    if expected[0] == "ok":
        return line == f"ok {expected[1]}"
    return len(words) == 3 and words[0] == "no" and words[1] in expected[1] and \
        words[2] == expected[2]


class Program:
    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        encoding="ascii")

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().rstrip("\n")
        except BrokenPipeError:
            return ""

    def end(self):
        self.process.stdin.close()
        return self.process.wait()


def differ(args, kind, protocol, index, line, expected, answer):
    shown = f"ok {expected[1]}" if expected[0] == "ok" else \
        f"no {' or '.join(sorted(expected[1]))} {expected[2]}"
    print(f"DIFFERENT: {protocol}/{kind}, request {index}, seed {args.seed}\n"
          f"  request:  {line}\n"
          f"  second:   {shown}\n"
          f"  provider: {answer or 'nothing: the program ended'}\n"
          f"  again:    {os.path.basename(__file__)} --answer {os.path.basename(args.answer)} "
          f"--seed {args.seed} --only {protocol}/{kind} --index {index}\n"
          f"  or give the request to {os.path.basename(args.answer)}")
    return 1


def compare(args, program, kind, protocol, indexes):
    """Counts by usage: [answered, refused]."""
    counts = collections.defaultdict(lambda: [0, 0])
    for index in indexes:
        maker = Maker(args.seed, protocol, kind, index)
        items, more = maker.kdf() if kind == "kdf" else maker.mac()
        line = request_line(kind, protocol, items, more)
        expected = second_answer(kind, protocol, items, more)
        answer = program.ask(line)
        if not agree(expected, answer):
            return differ(args, kind, protocol, index, line, expected, answer)
        given = dict(items)
        if kind == "kdf":
            usage = given.get("usage", "key-block by default")
            if usage not in second.USAGES[protocol] and "usage" in given:
                usage = "usages that it lacks"
        else:
            mode = given.get("record-mode", "record-type" in given)
            usage = "MAC of records" if mode else "MAC of bytes"
        counts[usage][expected[0] != "ok"] += 1
    report(kind, protocol, counts)
    return 0


def report(kind, protocol, counts):
    total = [sum(pair[n] for pair in counts.values()) for n in (0, 1)]
    print(f"{protocol} {kind}: {sum(total)} requests, {total[0]} answered, {total[1]} refused, "
          f"all alike")
    for usage, (answered, refused) in sorted(counts.items()):
        print(f"    {usage}: {answered} answered, {refused} refused")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answer", required=True)
    parser.add_argument("--vectors")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--only")
    parser.add_argument("--index", type=int)
    args = parser.parse_args()
    program = Program(args.answer)
    if args.only is not None:
        protocol, kind = args.only.split("/")
        return compare(args, program, kind, protocol,
                       range(args.count) if args.index is None else [args.index])
    if args.vectors is None:
        parser.error("--vectors is needed: second.py has to be right first")
    second.check(args.vectors)
    for protocol in PROTOCOLS:
        for kind, count in (("kdf", args.count), ("mac", args.count // MACS_PER_KDF)):
            if compare(args, program, kind, protocol, range(count)) != 0:
                return 1
            sys.stdout.flush()
    status = program.end()
    if status != 0:
        print(f"{os.path.basename(args.answer)} ended with status {status}")
    return status


if __name__ == "__main__":
    sys.exit(main())
