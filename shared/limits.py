"""How often something may happen: counts in Valkey, in fixed windows. While Valkey is away, nobody is limited."""

import hashlib
from dataclasses import dataclass
from typing import Final

import redis
import structlog
from django.conf import settings
from django_redis import get_redis_connection

from shared.errors import RateLimited

SIGN_INS_PER_FAILURE: Final = 30
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """Counts one kind of event for each subject. The first event of a subject starts a window of `seconds`."""

    name: str
    seconds: int

    def add(self, *subject: str) -> int:
        """Count one event, and return how many the window now has. Returns 0 while Valkey is unavailable."""
        return add_all((self, subject))[0]

    def count(self, *subject: str) -> int:
        """Return how many events the window has. Returns 0 while Valkey is unavailable."""
        try:
            return int(get_redis_connection("default").get(self.key(*subject)) or 0)
        except redis.RedisError as error:
            _unavailable(error)
            return 0

    def check(self, *subject: str, count: int, limit: int) -> None:
        """Raise RateLimited if `count` is above `limit`. A limit of 0 is no limit."""
        if 0 < limit < count:
            raise RateLimited(retry_after=self._seconds_left(subject))

    def _seconds_left(self, subject: tuple[str, ...]) -> int:
        try:
            seconds = int(get_redis_connection("default").ttl(self.key(*subject)))
        except redis.RedisError:
            return self.seconds
        return seconds if 0 < seconds <= self.seconds else self.seconds

    def key(self, *subject: str) -> str:
        """Return the key. It is a hash, so that Valkey never has an address."""
        digest = hashlib.sha256("\x1f".join((self.name, *subject)).encode()).hexdigest()
        return f"{settings.SERVICE_NAME}:limit:{digest}"


@dataclass(frozen=True, slots=True)
class SignIns:
    """The limit of sign-ins of an account and of a network. `name` separates kinds of sign-in."""

    name: str
    seconds: int = 15 * 60

    def before(self, *, account: str, network: str) -> None:
        """Count a sign-in as failed, until `after` says that it succeeded.

        The limit of an account applies only to networks that have failed to sign in to it before. So its owner can
        still sign in from another network. Raises RateLimited beyond LOGIN_LIMIT_ACCOUNT or LOGIN_LIMIT_NETWORK.

        Sign-ins that succeed have a limit too, of SIGN_INS_PER_FAILURE for each failure that is allowed. Otherwise
        somebody with one account could sign in without a pause, and nobody else would find a free place to hash.
        """
        of_network, of_account, of_network_on_account, of_all = add_all(
            (self._networks, (network,)),
            (self._accounts, (account,)),
            (self._pairs, (account, network)),
            (self._all, (account, network)),
        )
        most = SIGN_INS_PER_FAILURE * settings.LOGIN_LIMIT_ACCOUNT
        self._all.check(account, network, count=of_all, limit=most)
        self._networks.check(network, count=of_network, limit=settings.LOGIN_LIMIT_NETWORK)
        if of_network_on_account > 1:
            self._accounts.check(account, count=of_account, limit=settings.LOGIN_LIMIT_ACCOUNT)

    def after(self, *, account: str, network: str) -> None:
        """Forget the account's failures, because its owner has signed in."""
        try:
            pipe = get_redis_connection("default").pipeline()
            pipe.decr(self._networks.key(network))
            pipe.delete(self._accounts.key(account), self._pairs.key(account, network))
            pipe.execute()
        except redis.RedisError as error:
            _unavailable(error)

    @property
    def _networks(self) -> Window:
        return Window(f"{self.name}-network", self.seconds)

    @property
    def _accounts(self) -> Window:
        return Window(f"{self.name}-account", self.seconds)

    @property
    def _pairs(self) -> Window:
        return Window(f"{self.name}-pair", self.seconds)

    @property
    def _all(self) -> Window:
        return Window(f"{self.name}-all", self.seconds)


def add_all(*events: tuple[Window, tuple[str, ...]]) -> list[int]:
    """Count one event in each window for its subject, in one request to Valkey. Return how many each now has.

    Returns zeros while Valkey is unavailable.
    """
    try:
        pipe = get_redis_connection("default").pipeline()
        for window, subject in events:
            key = window.key(*subject)
            pipe.incr(key)
            pipe.expire(key, window.seconds, nx=True)
        return [int(count) for count in pipe.execute()[::2]]
    except redis.RedisError as error:
        _unavailable(error)
        return [0] * len(events)


def _unavailable(error: redis.RedisError) -> None:
    log.warning("rate_limits_unavailable", cause=type(error).__name__)
