"""Envelope encryption of secrets at rest. Pure.

Each record has a data key of its own (AES-256-GCM, 96-bit random nonce); the data key is wrapped by the
installation's key, also by AES-256-GCM. Both are bound to a context such as "secretvalue:<id>:value", so a
ciphertext copied to another row does not open.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32
VERSION = 1


class CannotOpen(Exception):
    """The record was sealed with a key that is not here, or was changed, or belongs to another row."""


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What is stored: all byte strings; `key_id` names the wrapping key."""

    version: int
    key_id: str
    wrapped: bytes
    wrap_nonce: bytes
    nonce: bytes
    ciphertext: bytes


SEALS = msgspec.msgpack.Decoder(Sealed)  # made at import: threads that first use a struct at once crash in msgspec 0.22


@dataclass(frozen=True)
class Keyring:
    """Wrapping keys by id, each of 32 bytes; `primary` seals, every one opens."""

    keys: dict[str, bytes]
    primary: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read lines of `id:base64`; the first is the primary. Raises ValueError naming the line."""
        keys: dict[str, bytes] = {}
        for number, line in enumerate(map(str.strip, text.splitlines()), 1):
            if not line or line.startswith("#"):
                continue
            key_id, key = read_line(line, number)
            if key_id in keys:
                raise ValueError(f"line {number}: the id {key_id} stands twice")
            keys[key_id] = key
        if not keys:
            raise ValueError("the key file is empty")
        return cls(keys, next(iter(keys)))

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Encrypt `plaintext`, bound to `context`."""
        data_key, wrap_nonce, nonce = AESGCM.generate_key(256), os.urandom(NONCE_BYTES), os.urandom(NONCE_BYTES)
        wrapped = AESGCM(self.keys[self.primary]).encrypt(wrap_nonce, data_key, context.encode())
        ciphertext = AESGCM(data_key).encrypt(nonce, plaintext, context.encode())
        return msgspec.msgpack.encode(Sealed(VERSION, self.primary, wrapped, wrap_nonce, nonce, ciphertext))

    def open(self, blob: bytes, context: str) -> bytes:
        """Decrypt what `seal` made for the same context. Raises CannotOpen."""
        try:
            sealed = SEALS.decode(blob)
            if sealed.version != VERSION:
                raise ValueError(f"version {sealed.version}")
            data_key = AESGCM(self.keys[sealed.key_id]).decrypt(sealed.wrap_nonce, sealed.wrapped, context.encode())
            return AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, context.encode())
        except (ValueError, KeyError, InvalidTag) as error:  # msgspec's errors are ValueErrors
            raise CannotOpen(f"cannot open {context}: wrong key or changed record") from error

    def checksum(self, purpose: str, payload: bytes) -> str:
        """A keyed digest (HMAC-SHA256, 16 hex digits): shows that a secret changed without telling what it is.

        The oldest key is used, so that adding a key does not restart every pod.
        """
        oldest = self.keys[list(self.keys)[-1]]
        return hmac.new(oldest, purpose.encode() + b"\0" + payload, hashlib.sha256).hexdigest()[:16]


def read_line(line: str, number: int) -> tuple[str, bytes]:
    """One key of the key file. The message names the line and never shows it."""
    key_id, _, encoded = line.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if not key_id or len(key) != KEY_BYTES:
        raise ValueError(f"line {number}: expected id:base64 of {KEY_BYTES} bytes")
    return key_id, key


def new_key_line() -> str:
    """A line for the key file, with a fresh random key."""
    return f"k{os.urandom(3).hex()}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n"
