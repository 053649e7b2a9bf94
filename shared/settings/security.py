"""Security settings: hosts, cookies, headers and sizes. DEBUG is off unless it is set."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import urlsplit

import shared.failpoints  # noqa: F401 — FAILPOINT without DEBUG ends the process here, before it serves anything
from shared.settings.env import env, refuse

MIN_SECRET_LENGTH: Final = 32
MIN_SECRET_KEY_LENGTH: Final = 50  # as Django's deployment check asks
_DJANGO_RULES: Final = "django.contrib.auth.password_validation"
PASSWORD_VALIDATORS: Final = (
    {"NAME": f"{_DJANGO_RULES}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "shared.password_rules.MaximumLengthValidator", "OPTIONS": {"max_length": 128}},
    {"NAME": f"{_DJANGO_RULES}.CommonPasswordValidator"},
    {"NAME": f"{_DJANGO_RULES}.UserAttributeSimilarityValidator"},
)
# What the platform itself asks for over plain HTTP: health checks, the key set, the schemas that the gateway merges,
# and the webhooks of the payment sandbox.
PLAIN_HTTP_PATHS: Final = (
    r"^health/",
    r"^\.well-known/jwks\.json$",
    r"^api/schema/$",
    r"^api/v1/payments/webhooks/",
)


def debug() -> bool:
    """Return DEBUG, off unless set."""
    return bool(env.bool("DEBUG", default=False))


def secrets(name: str, *, shortest: int = MIN_SECRET_LENGTH) -> list[str]:
    """Return the secret `name`, then those of `<name>_FALLBACKS` (a comma list): newest first.

    The first makes what is new. The others only check or open what was made before a rotation. Ends the process if the
    first is missing or, outside DEBUG, if one of them is shorter than `shortest` characters.
    """
    former = f"{name}_FALLBACKS"
    values = {name: [str(env.str(name))], former: [text.strip() for text in env.list(former, default=[])]}
    for variable, texts in values.items():
        if not debug() and any(len(text) < shortest for text in texts):
            refuse(f"{variable} is malformed: at least {shortest} characters are expected")
    return [text for texts in values.values() for text in texts if text]


def allowed_hosts(service: str) -> list[str]:
    """Return ALLOWED_HOSTS and the hosts by which the platform itself asks.

    These are this machine's names, the host of the service's own address (`<SERVICE>_URL`) and that of PUBLIC_URL,
    which the gateway passes on.
    """
    addresses = (env.str(f"{service.upper()}_URL", default=""), public_url())
    internal = ["localhost", "127.0.0.1", *(urlsplit(address).hostname or "" for address in addresses)]
    return sorted({*env.list("ALLOWED_HOSTS", default=[]), *filter(None, internal)})


def public_url() -> str:
    """Return PUBLIC_URL, the address by which the public knows the platform, without a slash at its end."""
    return str(env.str("PUBLIC_URL", default="http://localhost:8000")).rstrip("/")


def trusted_proxies() -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks whose X-Forwarded-For is believed: none by default. Ends the process if one is malformed."""
    try:
        return tuple(ip_network(proxy, strict=False) for proxy in env.list("TRUSTED_PROXIES", default=[]))
    except ValueError:
        refuse("TRUSTED_PROXIES is malformed: addresses or networks are expected")


@dataclass(frozen=True, slots=True)
class Https:
    """Whether the public address uses HTTPS, and what follows from it."""

    on: bool
    hsts_seconds: int


def https() -> Https:
    """Return whether cookies are Secure and plain HTTP is redirected: yes if PUBLIC_URL says https."""
    on = urlsplit(public_url()).scheme == "https"
    return Https(on=on, hsts_seconds=31_536_000 if on else 0)


def max_body_bytes() -> int:
    """Return the largest request body that is read, 10 MB by default."""
    return env.whole_number("MAX_BODY_BYTES", default=10_000_000)


def limits(service: str) -> dict[str, object]:
    """Return what keeps any service closed: its secret, its hosts, the proxies it trusts, and the largest body it
    reads.
    """
    secret_key, *fallbacks = secrets("SECRET_KEY", shortest=MIN_SECRET_KEY_LENGTH)
    return {
        "DEBUG": debug(),
        "SECRET_KEY": secret_key,
        "SECRET_KEY_FALLBACKS": fallbacks,
        "ALLOWED_HOSTS": allowed_hosts(service),
        "TRUSTED_PROXIES": trusted_proxies(),
        "MAX_BODY_BYTES": max_body_bytes(),
        "DATA_UPLOAD_MAX_MEMORY_SIZE": max_body_bytes(),
        "SECURE_HSTS_SECONDS": https().hsts_seconds,
    }


def hardening(service: str) -> dict[str, object]:
    """Return what keeps a service with an admin closed, in addition to `limits`.

    A browser sends a host's cookies to all of its ports, so each service's admin has cookie names of its own. Staff
    sign in through users_service. If BREAK_GLASS is true, local superusers with a password can sign in too.
    """
    public = https()
    break_glass = env.bool("BREAK_GLASS", default=False)
    return {
        "BREAK_GLASS": break_glass,
        "AUTHENTICATION_BACKENDS": [
            "shared.staff_sign_in.StaffBackend",
            *(["shared.break_glass.BreakGlassBackend"] if break_glass else []),
        ],
        "AUTH_PASSWORD_VALIDATORS": PASSWORD_VALIDATORS,
        "LOGIN_LIMIT_ACCOUNT": env.whole_number("LOGIN_LIMIT_ACCOUNT", default=10),
        "LOGIN_LIMIT_NETWORK": env.whole_number("LOGIN_LIMIT_NETWORK", default=100),
        "SESSION_COOKIE_NAME": f"{service}_session",
        "CSRF_COOKIE_NAME": f"{service}_csrf",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": public.on,
        "CSRF_COOKIE_SECURE": public.on,
        "SECURE_SSL_REDIRECT": public.on,
        "SECURE_REDIRECT_EXEMPT": list(PLAIN_HTTP_PATHS),
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": public.on,
        "SECURE_HSTS_PRELOAD": public.on,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if public.on else None,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
    }
