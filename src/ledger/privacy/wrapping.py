"""The wrapping key: 32 bytes from a file or the environment, without which a key store opens nothing."""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ledger.errors import KeysUnusable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_ID_BYTES = 8
_SECRET_MODE = 0o600


class WrappingKey(msgspec.Struct, frozen=True):
    """`where` it came from is for messages."""

    secret: bytes
    where: str

    @property
    def id(self) -> str:
        """What tells one key from another, and tells nothing about it."""
        return sha256(b"wrapping key" + self.secret).digest()[:_ID_BYTES].hex()

    def wrap(self, root: bytes, about: bytes) -> bytes:
        """The root of a key store, readable with this key only and bound to what it is about."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + _cipher(self.secret).encrypt(nonce, root, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """The root again. Raises `KeysUnusable`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (loaded where something is sealed or opened)

        try:
            return _cipher(self.secret).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
        except InvalidTag:
            raise KeysUnusable(f"the key store's root does not open with {self.where}: it was altered") from None


def parse(text: str, where: str) -> WrappingKey:
    """A key as it is written: base64 of 32 bytes. Raises `KeysUnusable`."""
    try:
        secret = b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise KeysUnusable(f"{where} is no wrapping key: it must be the base64 of {KEY_BYTES} bytes")
    return WrappingKey(secret, where)


def read_file(path: Path) -> WrappingKey:
    """The key in a file. Raises `KeysUnusable`."""
    try:
        return parse(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError:
        raise KeysUnusable(
            f"the wrapping key {path} is missing: put it back, or name it with LEDGER_WRAPPING_KEY_FILE"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeysUnusable(f"the wrapping key {path} cannot be read: {error}") from None


def write_file(path: Path) -> WrappingKey:
    """A new key in a new file that only its owner may read; the one that is there, if there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = b64encode(os.urandom(KEY_BYTES)).decode() + "\n"
    written = path.with_name(f"{path.name}.{os.urandom(8).hex()}.new")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _SECRET_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(written, path)  # unlike a renaming it never replaces what another process has just made
        except FileExistsError:
            return read_file(path)
    finally:
        written.unlink(missing_ok=True)
    sync_folder(path.parent)
    return parse(text, str(path))


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cipher(secret: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(secret)
