#!/usr/bin/env python3
"""A second implementation of the pre-shared key method of RFC 3830, for the constants in the tests of src/exchange/.

It shares no code with the library: the standard library does HMAC, the program openssl does AES.
Run it to print the constants again.
"""
import hashlib
import hmac
import struct
import subprocess

PSK = bytes(range(0x10, 0x30))
CSB_ID = 0x12345678
RAND = bytes(range(0xA0, 0xB0))
T = 0xD6B4323280000001
TGK = bytes(range(0x40, 0x50))
TEK = bytes(range(0x60, 0x70))
SALT = bytes(range(0x80, 0x8E))
IDI = b"sip:alice@example.org"
IDR = b"sip:bob@example.org"

HASHES = {0: hashlib.sha1, 1: hashlib.sha256}
ENCR_KEY, AUTH_KEY, SALT_KEY = 0x150533E1, 0x2D22AC75, 0x29B88916
TEK_OF_TGK, SALT_OF_TGK = 0x2AD01C64, 0x39A2C14B


def prf(function, inkey, label, length):
    """RFC 3830 4.1.2; RFC 6043 6.1 for function 1."""
    out = bytes(length)
    for start in range(0, len(inkey), 32):
        s, a, p = inkey[start:start + 32], label, b""
        while len(p) < length:
            a = hmac.digest(s, a, HASHES[function])
            p += hmac.digest(s, a + label, HASHES[function])
        out = bytes(x ^ y for x, y in zip(out, p))
    return out


def derive(function, inkey, constant, cs_id, length):
    """RFC 3830 4.1.3, 4.1.4."""
    return prf(function, inkey, struct.pack(">IBI", constant, cs_id, CSB_ID) + RAND, length)


def openssl(cipher, key, iv, plain):
    command = ["openssl", "enc", f"-{cipher}", "-K", key.hex(), "-iv", iv.hex()]
    return subprocess.run(command, input=plain, capture_output=True, check=True).stdout


def encrypt(algorithm, function, plain):
    """RFC 3830 4.2.3, RFC 6043 6.2."""
    if algorithm == 2:
        key, iv = derive(function, PSK, ENCR_KEY, 0xFF, 16), derive(function, PSK, SALT_KEY, 0xFF, 8)
        return openssl("id-aes128-wrap", key, iv, plain)
    key_len, cipher = {1: (16, "aes-128-ctr"), 3: (32, "aes-256-ctr")}[algorithm]
    salt = derive(function, PSK, SALT_KEY, 0xFF, 14)
    iv = bytes(x ^ y for x, y in zip(salt, struct.pack(">HIQ", 0, CSB_ID, T))) + bytes(2)
    return openssl(cipher, derive(function, PSK, ENCR_KEY, 0xFF, key_len), iv, plain)


def mac(algorithm, function, octets):
    key_len = {1: 20, 2: 32}[algorithm]
    return hmac.digest(derive(function, PSK, AUTH_KEY, 0xFF, key_len), octets, HASHES[algorithm - 1])


def header(data_type, next_payload, v_flag, function, ssrcs):
    sessions = b"".join(struct.pack(">BII", 0, ssrc, 0) for ssrc in ssrcs)
    start = struct.pack(">BBBBIBB", 1, data_type, next_payload, v_flag << 7 | function, CSB_ID, len(ssrcs), 0)
    return start + sessions


def timestamp(next_payload):
    return struct.pack(">BBQ", next_payload, 0, T)


def identity(next_payload, octets):
    return struct.pack(">BBH", next_payload, 1, len(octets)) + octets


def i_message(encryption, mac_algorithm, function):
    policy = bytes([0, 1, 1, 1, 1, 16, 4, 1, 14])
    keys = struct.pack(">BBH", 20, 0x01, 16) + TGK + bytes([2, 7, 7])
    keys += struct.pack(">BBH", 0, 0x32, 16) + TEK + struct.pack(">H", 14) + SALT
    keys += bytes([6]) + bytes(6) + bytes([6]) + b"\xff" * 6
    encrypted = encrypt(encryption, function, keys)
    message = header(0, 5, 1, function, [0x11223344, 0])
    message += timestamp(11) + bytes([6, 16]) + RAND + identity(6, IDI) + identity(10, IDR)
    message += struct.pack(">BBBH", 1, 0, 0, len(policy)) + policy
    message += struct.pack(">BBH", 0, encryption, len(encrypted)) + encrypted + bytes([mac_algorithm])
    return message + mac(mac_algorithm, function, message)


def answer(data_type, payloads, first, mac_algorithm, function, ssrcs):
    message = header(data_type, 5, 0, function, ssrcs) + timestamp(first) + payloads + bytes([0, mac_algorithm])
    return message + mac(mac_algorithm, function, message + IDI + IDR + struct.pack(">Q", T))


def main():
    print("key transport of the octets 0 to 39")
    for algorithm in (1, 3, 2):
        for function in (0, 1):
            print(algorithm, function, encrypt(algorithm, function, bytes(range(40))).hex())
    for name, encryption, mac_algorithm, function in (("mandatory", 1, 1, 0), ("strong", 3, 2, 1)):
        print(name)
        print("i_message", i_message(encryption, mac_algorithm, function).hex())
        r_message = answer(1, identity(9, IDR), 6, mac_algorithm, function, [0x11223344, 0x55667788])
        print("r_message", r_message.hex())
        error = answer(6, bytes([9, 10, 0, 0]), 12, mac_algorithm, function, [0x11223344, 0])
        print("error", error.hex())
        for cs_id in (1, 2):
            key, salt = derive(function, TGK, TEK_OF_TGK, cs_id, 16), derive(function, TGK, SALT_OF_TGK, cs_id, 14)
            print("srtp", cs_id, key.hex(), salt.hex())


main()
