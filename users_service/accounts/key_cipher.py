"""Encrypts the private halves of the signing keys for the database, with SIGNING_KEYS_SECRET."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """No known secret decrypts the value: the secret that encrypted it is neither set nor among the fallbacks."""


def encrypt(private: bytes) -> bytes:
    """Return `private` encrypted with the newest secret."""
    return _cipher().encrypt(private)


def decrypt(stored: bytes) -> bytes:
    """Return what `encrypt` was given, also if a former secret encrypted it. Raises Unreadable."""
    try:
        return _cipher().decrypt(stored)
    except InvalidToken:
        raise Unreadable from None


def _cipher() -> MultiFernet:
    digests = (hashlib.sha256(f"signing-keys:{secret}".encode()).digest() for secret in settings.SIGNING_KEYS_SECRETS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
