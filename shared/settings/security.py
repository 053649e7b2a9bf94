"""What keeps a service closed: hosts, cookies, headers, sizes, and no debugging unless it is asked for."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import shared.failpoints  # noqa: F401 — FAILPOINT without DEBUG ends the process here, before it serves anything
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


def hardening(service: str) -> dict[str, object]:
    """Return the settings that keep a service with an admin closed, for its settings module to take in.

    Cookies know no ports, so each service's admin has names of its own. Staff sign in by users_service; a local superuser with a
    password remains as the way in when that is away.
    """
    public = https()
    return {
        "DEBUG": debug(),
        "SECRET_KEY": secret_key(),
        "ALLOWED_HOSTS": allowed_hosts(),
        "TRUSTED_PROXIES": trusted_proxies(),
        "MAX_BODY_BYTES": max_body_bytes(),
        "DATA_UPLOAD_MAX_MEMORY_SIZE": max_body_bytes(),
        "AUTHENTICATION_BACKENDS": ["shared.auth.staff.StaffBackend", "django.contrib.auth.backends.ModelBackend"],
        "SESSION_COOKIE_NAME": f"{service}_session",
        "CSRF_COOKIE_NAME": f"{service}_csrf",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": public.on,
        "CSRF_COOKIE_SECURE": public.on,
        "SECURE_SSL_REDIRECT": public.on,
        "SECURE_HSTS_SECONDS": public.hsts_seconds,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": public.on,
        "SECURE_HSTS_PRELOAD": public.on,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if public.on else None,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
    }
