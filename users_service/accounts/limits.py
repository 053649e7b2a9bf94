"""Rate limits of sign-ins and mails, counted in Valkey. While Valkey is unavailable, nobody is limited.

A network is an IPv4 address or the /64 of an IPv6 address, because a subscriber has all addresses of a /64.
"""

import hashlib
from typing import Final

import redis
import structlog
from django.conf import settings
from django_redis import get_redis_connection

from shared.errors import RateLimited
from shared.http.addresses import network_of

LOGIN_WINDOW: Final = 15 * 60
MAIL_WINDOW: Final = 60 * 60
log = structlog.get_logger(__name__)


def before_sign_in(*, email: str, ip_address: str) -> None:
    """Count a sign-in as failed, until `after_sign_in` says that it succeeded.

    The limit of an account applies only to networks that have failed to sign in to it before. So its owner can still
    sign in from another network. Raises RateLimited beyond the limit of the account or of the network.
    """
    network = network_of(ip_address)
    of_network = _count(LOGIN_WINDOW, "login-network", network)
    of_account = _count(LOGIN_WINDOW, "login-account", email)
    of_network_on_account = _count(LOGIN_WINDOW, "login-pair", email, network)
    if _exceeds(of_network, settings.LOGIN_LIMIT_NETWORK):
        raise RateLimited(retry_after=_seconds_until_reset(LOGIN_WINDOW, "login-network", network))
    if _exceeds(of_account, settings.LOGIN_LIMIT_ACCOUNT) and of_network_on_account > 1:
        raise RateLimited(retry_after=_seconds_until_reset(LOGIN_WINDOW, "login-account", email))


def after_sign_in(*, email: str, ip_address: str) -> None:
    """Forget the account's failures, because its owner has signed in."""
    network = network_of(ip_address)
    try:
        pipe = get_redis_connection("default").pipeline()
        pipe.decr(_key("login-network", network))
        pipe.delete(_key("login-account", email), _key("login-pair", email, network))
        pipe.execute()
    except redis.RedisError as error:
        log.warning("rate_limits_unavailable", cause=type(error).__name__)


def before_mail(*, email: str, ip_address: str) -> None:
    """Count a mail that somebody requests. Raises RateLimited beyond the limit of the network or of the address."""
    network = network_of(ip_address)
    if _exceeds(_count(MAIL_WINDOW, "mail-network", network), settings.MAIL_REQUEST_LIMIT_NETWORK):
        raise RateLimited(retry_after=_seconds_until_reset(MAIL_WINDOW, "mail-network", network))
    if _exceeds(_count(MAIL_WINDOW, "mail-address", email), settings.MAIL_REQUEST_LIMIT_ADDRESS):
        raise RateLimited(retry_after=_seconds_until_reset(MAIL_WINDOW, "mail-address", email))


def _exceeds(count: int, limit: int) -> bool:
    """Return whether `count` is above the limit. A limit of 0 is no limit."""
    return 0 < limit < count


def _count(window: int, *parts: str) -> int:
    """Return how often this key was counted within the window, this time included."""
    try:
        pipe = get_redis_connection("default").pipeline()
        key = _key(*parts)
        pipe.incr(key)
        pipe.expire(key, window, nx=True)
        return int(pipe.execute()[0])
    except redis.RedisError as error:
        log.warning("rate_limits_unavailable", cause=type(error).__name__)
        return 0


def _seconds_until_reset(window: int, *parts: str) -> int:
    """Return how many seconds the window still lasts."""
    try:
        seconds = int(get_redis_connection("default").ttl(_key(*parts)))
    except redis.RedisError:
        return window
    return seconds if 0 < seconds <= window else window


def _key(*parts: str) -> str:
    """Return the key. It is a hash, so that Valkey never has an address."""
    return "users:limit:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
