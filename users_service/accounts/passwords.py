"""Hash passwords with Argon2id. Only a few are hashed at a time, so that sign-ins do not slow other requests down."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from gzip import open as gzip_open
from pathlib import Path
from typing import Final

import django.contrib.auth.password_validation as django_validation
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from shared.errors import RateLimited
from users_service.accounts.models import User

WAIT_SECONDS: Final = 2.0


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: about 30 ms of a core."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(max(1, settings.HASHES_AT_ONCE))


def hashed(password: str) -> str:
    """Return the hash of the password. Raises RateLimited if it has to wait for longer than WAIT_SECONDS."""
    with _slot():
        return make_password(password)


def matches(user: User | None, password: str) -> bool:
    """Return whether the password is that of the active account. Without an account it takes as long and returns False.

    Raises RateLimited if it has to wait for longer than WAIT_SECONDS.
    """
    usable = user is not None and user.has_usable_password()
    with _slot():
        correct = check_password(password, user.password if user is not None and usable else _hash_of_no_account())
    return correct and usable and user is not None and user.is_active


@cache
def _hash_of_no_account() -> str:
    return make_password("of no account at all")


@cache
def common_passwords() -> frozenset[str]:
    """Return Django's list of 20,000 common passwords."""
    path = Path(django_validation.__file__).parent / "common-passwords.txt.gz"
    with gzip_open(path, "rt", encoding="utf-8") as lines:
        return frozenset(line.strip() for line in lines)


@contextmanager
def _slot() -> Iterator[None]:
    """Wait for one of the HASHES_AT_ONCE slots, and occupy it."""
    if not _slots().acquire(timeout=WAIT_SECONDS):
        raise RateLimited(retry_after=1)
    try:
        yield
    finally:
        _slots().release()
