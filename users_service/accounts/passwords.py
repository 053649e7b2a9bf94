"""Hashing passwords: Argon2id, a bounded number at a time, so that sign-ins never starve other requests."""

import threading
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
    """Return the hash. Raises RateLimited where too many wait for theirs already."""
    with _Slot():
        return make_password(password)


def matches(user: User | None, password: str) -> bool:
    """Return whether the password is the account's; without an account it takes as long and is False. Raises RateLimited."""
    with _Slot():
        right = check_password(
            password, user.password if user is not None and user.has_usable_password() else _nobodys()
        )
    return right and user is not None and user.is_active and user.has_usable_password()


@cache
def _nobodys() -> str:
    return make_password("of no account at all")


@cache
def common_passwords() -> frozenset[str]:
    """Return Django's list of 20,000 common passwords."""
    path = Path(django_validation.__file__).parent / "common-passwords.txt.gz"
    with gzip_open(path, "rt", encoding="utf-8") as lines:
        return frozenset(line.strip() for line in lines)


class _Slot:
    def __enter__(self) -> None:
        if not _slots().acquire(timeout=WAIT_SECONDS):
            raise RateLimited(retry_after=1)

    def __exit__(self, *_: object) -> None:
        _slots().release()
