"""How often: failed sign-ins and requested mails, counted in Valkey. A Valkey that is away limits nobody."""

import hashlib
import logging
from typing import Final

import redis
from django.conf import settings
from django_redis import get_redis_connection

from shared.errors import RateLimited

LOGIN_WINDOW: Final = 15 * 60
MAIL_WINDOW: Final = 60 * 60
log = logging.getLogger(__name__)


def before_sign_in(*, email: str, ip_address: str) -> None:
    """Count an attempt as failed until `after_sign_in` says otherwise. Raises RateLimited past the account's or the network's limit.

    An account's limit holds against the networks that have failed on it: its owner, elsewhere, still gets in.
    """
    from_network = _count(LOGIN_WINDOW, "login-network", ip_address)
    on_account = _count(LOGIN_WINDOW, "login-account", email)
    from_network_on_account = _count(LOGIN_WINDOW, "login-pair", email, ip_address)
    if _past(from_network, settings.LOGIN_LIMIT_NETWORK):
        raise RateLimited(retry_after=_left(LOGIN_WINDOW, "login-network", ip_address))
    if _past(on_account, settings.LOGIN_LIMIT_ACCOUNT) and from_network_on_account > 1:
        raise RateLimited(retry_after=_left(LOGIN_WINDOW, "login-account", email))


def after_sign_in(*, email: str, ip_address: str) -> None:
    """Forget the failures: the owner was there."""
    try:
        pipe = get_redis_connection("default").pipeline()
        pipe.decr(_key("login-network", ip_address))
        pipe.delete(_key("login-account", email), _key("login-pair", email, ip_address))
        pipe.execute()
    except redis.RedisError:
        log.warning("sign-in limits are away")


def before_mail(*, email: str, ip_address: str) -> None:
    """Count a mail that somebody asks for. Raises RateLimited past the network's or the address's limit."""
    if _past(_count(MAIL_WINDOW, "mail-network", ip_address), settings.MAIL_REQUEST_LIMIT_NETWORK):
        raise RateLimited(retry_after=_left(MAIL_WINDOW, "mail-network", ip_address))
    if _past(_count(MAIL_WINDOW, "mail-address", email), settings.MAIL_REQUEST_LIMIT_ADDRESS):
        raise RateLimited(retry_after=_left(MAIL_WINDOW, "mail-address", email))


def _past(count: int, limit: int) -> bool:
    return 0 < limit < count


def _count(window: int, *parts: str) -> int:
    """Return how often this has been counted within the window, this time included."""
    try:
        pipe = get_redis_connection("default").pipeline()
        key = _key(*parts)
        pipe.incr(key)
        pipe.expire(key, window, nx=True)
        return int(pipe.execute()[0])
    except redis.RedisError:
        log.warning("sign-in limits are away")
        return 0


def _left(window: int, *parts: str) -> int:
    """Return how many seconds the window still lasts."""
    try:
        left = int(get_redis_connection("default").ttl(_key(*parts)))
    except redis.RedisError:
        return window
    return left if 0 < left <= window else window


def _key(*parts: str) -> str:
    """Return a key that holds no address."""
    return "users:limit:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
