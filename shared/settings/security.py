"""What keeps a service closed: hosts, cookies, headers, sizes, and no debugging unless it is asked for."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.settings.env import env, refuse

MIN_SECRET_LENGTH = 50


def debug() -> bool:
    """Return DEBUG, off unless set."""
    return bool(env.bool("DEBUG", default=False))


def secret_key() -> str:
    """Return SECRET_KEY. Ends the process where it is missing or, outside DEBUG, too short to be one."""
    key = env.str("SECRET_KEY")
    if not debug() and len(key) < MIN_SECRET_LENGTH:
        refuse(f"SECRET_KEY is malformed: at least {MIN_SECRET_LENGTH} characters are expected")
    return str(key)


def allowed_hosts() -> list[str]:
    """Return ALLOWED_HOSTS, by default this machine's own names."""
    return list(env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"]))


def trusted_proxies() -> list[str]:
    """Return the addresses whose X-Forwarded-For counts: none by default."""
    return list(env.list("TRUSTED_PROXIES", default=[]))


@dataclass(frozen=True, slots=True)
class Https:
    """What follows from whether the public speaks HTTPS to the platform."""

    on: bool
    hsts_seconds: int


def https() -> Https:
    """Return whether cookies are Secure and plain HTTP is redirected: where PUBLIC_URL says https."""
    on = urlsplit(env.str("PUBLIC_URL", default="http://localhost:8000")).scheme == "https"
    return Https(on=on, hsts_seconds=31_536_000 if on else 0)


def max_body_bytes() -> int:
    """Return the largest request body that is read, 10 MB by default."""
    return env.positive("MAX_BODY_BYTES", default=10_000_000)
