"""Hash passwords with Argon2id, in a few threads of low priority, so that sign-ins do not slow other requests down.

At most HASHES_AT_ONCE passwords are hashed at the same time, and HASHES_WAITING more requests wait. Beyond that a
request is refused immediately.

The threads do nothing but hash, which needs no interpreter lock: a thread of low priority should hold it as little as
possible.
"""

import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gzip import open as gzip_open
from pathlib import Path
from typing import Any, Final, TypeVar

import django.contrib.auth.password_validation as django_validation
from argon2 import low_level
from argon2.exceptions import VerificationError
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password, verify_password
from django.db import transaction

from shared.errors import RateLimited
from users_service.accounts.models import User

NICENESS: Final = 10  # more than the process has

T = TypeVar("T")
_has_place: ContextVar[bool] = ContextVar("has_place", default=False)


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: about 30 ms of a core. Passwords are compared in NFKC."""

    algorithm: str = "argon2"
    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Return the hash of the password in NFKC."""
        params = self.params()
        hashed = _in_pool(
            low_level.hash_secret,
            _secret(password),
            salt.encode(),
            time_cost=params.time_cost,
            memory_cost=params.memory_cost,
            parallelism=params.parallelism,
            hash_len=params.hash_len,
            type=params.type,
        )
        return f"{self.algorithm}{hashed.decode()}"

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether the password in NFKC has this hash."""
        stored = encoded.removeprefix(self.algorithm).encode()
        try:
            return _in_pool(low_level.verify_secret, stored, _secret(password), low_level.Type.ID)
        except VerificationError:
            return False


@contextmanager
def place() -> Iterator[None]:
    """Reserve a place for the hashes of one request. Use it around everything that the request does.

    Raises RateLimited immediately if every place is taken: all threads hash, and all who may wait do.
    """
    if _has_place.get():
        yield
        return
    places = _places()
    if not places.acquire(blocking=False):
        raise RateLimited(retry_after=1)
    reserved = _has_place.set(True)
    try:
        yield
    finally:
        _has_place.reset(reserved)
        places.release()


def most_at_once() -> int:
    """Return how many requests may hash or wait at the same time."""
    return max(1, settings.HASHES_AT_ONCE) + max(0, settings.HASHES_WAITING)


def hashed(password: str) -> str:
    """Return the hash of the password. Raises RateLimited if the caller has no place and gets none."""
    with place():
        return make_password(password)


def matches(user: User | None, password: str) -> bool:
    """Return whether the password is that of the active account. Without an account it takes as long and returns False.

    If the hash was made with other parameters than today's, a hash with today's replaces it.

    Raises RateLimited if the caller has no place and gets none.
    """
    encoded = user.password if user is not None and user.has_usable_password() else ""
    with place():
        correct, replacement = _verified(password, encoded)
    if not correct or user is None or not user.is_active:
        return False
    if replacement:
        _replace(user, replacement)
    return True


@cache
def common_passwords() -> frozenset[str]:
    """Return Django's list of 20,000 common passwords."""
    path = Path(django_validation.__file__).parent / "common-passwords.txt.gz"
    with gzip_open(path, "rt", encoding="utf-8") as lines:
        return frozenset(line.strip() for line in lines)


def forget() -> None:
    """Forget the pool and its places, so that the next use makes them again.

    A forked process needs it, because threads do not survive a fork. Tests need it after they change settings.
    """
    _pool.cache_clear()
    _places.cache_clear()


os.register_at_fork(after_in_child=forget)


def _in_pool(work: Callable[..., T], *given: Any, **more: Any) -> T:
    return _pool().submit(work, *given, **more).result()


def _secret(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        max(1, settings.HASHES_AT_ONCE), thread_name_prefix="hashing", initializer=_lower_priority
    )


@cache
def _places() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(most_at_once())


def _lower_priority() -> None:
    """Lower the priority of this thread. Only Linux has a priority per thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS))


def _verified(password: str, encoded: str) -> tuple[bool, str]:
    """Return whether the password has this hash, and a new hash if this one has other parameters than today's.

    An empty hash has no password, and takes as long.
    """
    nobodys = _hash_of_no_account()  # made with the first sign-in, whether the address is known or not
    correct, is_outdated = verify_password(password, encoded or nobodys)
    if not correct or not encoded:
        return False, ""
    return True, make_password(password) if is_outdated else ""


def _replace(user: User, replacement: str) -> None:
    """Store the new hash if the stored hash was not changed since it was verified and no transaction locks the row."""
    with transaction.atomic():
        unchanged = User.objects.select_for_update(skip_locked=True).filter(id=user.id, password=user.password)
        if User.objects.filter(id__in=unchanged.values("id")).update(password=replacement):
            user.password = replacement


@cache
def _hash_of_no_account() -> str:
    return make_password("of no account at all")
