"""The environment of every process of the platform.

Variables that the person set before `up` are passed on, so that every limit and timing can be changed. Each process
gets only the secrets that `secret_owners` gives to it.
"""

import os
import socket
from collections.abc import Mapping
from functools import cache
from typing import Final

from launcher import ports
from launcher.infrastructure import kafka, postgres, valkey
from launcher.platform import Platform
from launcher.secret_owners import without_foreign_secrets
from launcher.vault import Vault
from shared.settings.kafka import VARIABLES as KAFKA_SECURITY

INFRASTRUCTURE: Final = (
    *(f"{name.upper()}_DATABASE_URL" for name in postgres.DATABASES),
    "KAFKA_BOOTSTRAP_SERVERS",
    "REDIS_URL",
    "EMAIL_URL",
)
# Variables of a shell, a supervisor or another platform's process. A service must not inherit them.
FOREIGN: Final = (
    "DJANGO_SETTINGS_MODULE",
    "PYTHONHOME",
    "PORT",
    "GRPC_PORT",
    "FACADE_SOURCE_ADDRESS",
    "SECRET_KEY",  # a person sets USERS_SECRET_KEY and so on: no two services share one
    "SECRET_KEY_FALLBACKS",
    "SERVICE_PRIVATE_KEY",
    "SERVICE_PRIVATE_KEYS",
    "VIRTUAL_ENV",
    "PYTHONDONTWRITEBYTECODE",
)
# Limits of a migration or a seed, which may take longer than a request: 0 is none, and five minutes between two
# statements.
LONG_COMMAND_LIMITS: Final = {
    "DATABASE_STATEMENT_TIMEOUT_MS": "0",
    "DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS": "300000",
}


def infrastructure(platform: Platform, vault: Vault, *, external: bool = False) -> dict[str, str]:
    """Return the URLs of databases, broker, cache and mail server: the embedded servers, or with `external` the
    environment's.
    """
    if external:
        return {name: os.environ[name] for name in INFRASTRUCTURE} | {
            name: os.environ.get(name, "") for name in KAFKA_SECURITY
        }
    return {
        **{f"{name.upper()}_DATABASE_URL": postgres.url(platform, vault, name) for name in postgres.DATABASES},
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers(platform),
        **dict.fromkeys(KAFKA_SECURITY, ""),  # the embedded broker is in the clear, whatever the person's shell says
        "REDIS_URL": valkey.url(platform, vault),
        "EMAIL_URL": f"smtp://127.0.0.1:{platform.port(ports.SMTP)}",
    }


def missing_for_external() -> list[str]:
    """Return the variables that `--infra external` needs and that the environment does not set."""
    return [name for name in INFRASTRUCTURE if not os.environ.get(name)]


def platform_environment(platform: Platform, vault: Vault, *, external: bool = False) -> dict[str, str]:
    """Return the variables that are not one service's own: those of the infrastructure, and the secrets of every
    purpose.
    """
    http = {f"{name.upper()}_URL": f"http://127.0.0.1:{platform.port(port)}" for name, port in ports.HTTP.items()}
    del http["GATEWAY_URL"]
    gateway = f"http://localhost:{platform.port(ports.HTTP['gateway'])}"
    defaults = {
        "DEBUG": "true",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "PUBLIC_URL": gateway,
        "DEFAULT_FROM_EMAIL": "Travel <hello@travel.example>",
        "SMS_PROVIDER": "console",
        "PAYMENT_PROVIDER": "sandbox",
        "KAFKA_TOPIC_PREFIX": "",
        "WEB_CONCURRENCY": "1",
        "RPC_PROCESSES": "1",
        "SIGNING_KEYS_SECRET": vault.secret("signing-keys"),
        "REFRESH_TOKEN_SECRET": vault.secret("refresh-token"),
        "DOCUMENT_LINK_SECRET": vault.secret("document-link"),
        "PAYMENT_WEBHOOK_SECRET": vault.secret("payment-webhook"),
    }
    fixed = {
        **http,
        **{f"{name.upper()}_GRPC": f"127.0.0.1:{platform.port(port)}" for name, port in ports.GRPC.items()},
        **infrastructure(platform, vault, external=external),
        "SMS_DIR": str(platform.sms),
        "MEDIA_ROOT": str(platform.media),
        "JWKS_URL": f"{http['USERS_URL']}/.well-known/jwks.json",
        "SERVICE_PUBLIC_KEYS": vault.service_public_keys(),
        "PAYMENT_SANDBOX_URL": f"http://127.0.0.1:{platform.port(ports.SANDBOX)}",
        "PAYMENT_WEBHOOK_URL": f"{http['BOOKINGS_URL']}/api/v1/payments/webhooks/sandbox/",
        "ADMIN_PASSWORD": vault.sign_in("ADMIN_PASSWORD"),
        "DEMO_PASSWORD": vault.sign_in("DEMO_PASSWORD"),
        "PYTHONPATH": str(platform.root),
        "PYTHONUNBUFFERED": "1",
        "PYTHONTZPATH": "",  # time zones come from the pinned tzdata, never from the system's older data
        "RUN_DIR": str(platform.run),
    }
    return {**defaults, **{name: os.environ[name] for name in defaults if name in os.environ}, **fixed}


def service_environment(service: str, platform: Platform, vault: Vault, *, external: bool = False) -> dict[str, str]:
    """Return the variables of one service's processes: the person's, the platform's, and the service's own."""
    own = {
        **_secret_key(service, vault),
        **_trusted(service),
        "PORT": str(platform.port(ports.HTTP[service])),
        "SERVICE_PRIVATE_KEY": vault.service_seed(service),
    }
    if service in ports.GRPC:
        own["GRPC_PORT"] = str(platform.port(ports.GRPC[service]))
    shared = platform_environment(platform, vault, external=external)
    return without_foreign_secrets({**_inherited(), **shared, **own}, owner=service)


def long_command_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with the limits of a long command, except those that the person set."""
    return {**LONG_COMMAND_LIMITS, **environment}


def stand_in_environment(name: str, platform: Platform, vault: Vault, *, external: bool = False) -> dict[str, str]:
    """Return the environment of the infrastructure's process `name`: no database, no key. Only the payment sandbox gets
    the webhook's secret.
    """
    shared = platform_environment(platform, vault, external=external)
    shown = (
        "DEBUG",
        "PAYMENT_SANDBOX_URL",
        "PAYMENT_WEBHOOK_URL",
        "PAYMENT_WEBHOOK_SECRET",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
        "PYTHONTZPATH",
    )
    own = {name: shared[name] for name in shown} | {"SANDBOX_STORE": str(platform.var / "sandbox.sqlite3")}
    return without_foreign_secrets({**_inherited(), **own}, owner=name)


def all_services(platform: Platform, vault: Vault) -> dict[str, str]:
    """Return the environment for a test run or a benchmark that acts as every service: all database URLs, all private
    keys.
    """
    own = {"SECRET_KEY": vault.secret("django-all", length=50), "SERVICE_PRIVATE_KEYS": vault.service_seeds()}
    return {**platform_environment(platform, vault), **own}


def public_addresses(platform: Platform) -> dict[str, str]:
    """Return where a program that uses only public interfaces reaches the platform."""
    return {
        "GATEWAY_URL": f"http://localhost:{platform.port(ports.HTTP['gateway'])}",
        "TRAVEL_VAR": str(platform.var),
        "PORT_OFFSET": str(platform.offset),
        "MAIL_DIR": str(platform.mail),
    }


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


def _secret_key(service: str, vault: Vault) -> dict[str, str]:
    """Return the service's SECRET_KEY, and the former ones that it still accepts: the person's
    `<SERVICE>_SECRET_KEY` and `<SERVICE>_SECRET_KEY_FALLBACKS`, else one from the vault.
    """
    given = f"{service.upper()}_SECRET_KEY"
    key = os.environ.get(given) or vault.secret(f"django-{service}", length=50)
    fallbacks = os.environ.get(f"{given}_FALLBACKS")
    return {"SECRET_KEY": key} | ({"SECRET_KEY_FALLBACKS": fallbacks} if fallbacks else {})


def _trusted(service: str) -> dict[str, str]:
    """Return whom the service believes about the address of a client (X-Forwarded-For).

    The gateway believes the person's proxies. The others also believe the gateway, which calls them from an address of
    its own: not from that of every other program on this machine.
    """
    given = os.environ.get("TRUSTED_PROXIES", "")
    if service == "gateway":
        return {"FACADE_SOURCE_ADDRESS": _facade_address(), "TRUSTED_PROXIES": given}
    return {"TRUSTED_PROXIES": ",".join(filter(None, (_facade_address(), given)))}


@cache
def _facade_address() -> str:
    """Return 127.0.0.2, or 127.0.0.1 on a system that has only this loopback address (macOS). There, every program on
    the machine may name the client's address to a service.
    """
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.2", 0))
        except OSError:
            return "127.0.0.1"
    return "127.0.0.2"
