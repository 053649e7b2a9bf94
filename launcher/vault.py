"""The platform's secrets. They are made once and kept in var/secrets/ with mode 600. Only sign-ins are ever printed."""

import base64
import json
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from launcher.platform import Platform
from launcher.processes import SERVICES


class Vault:
    """Secrets by name.

    A secret is made when it is first asked for. Two launchers that ask together get the same secret.
    """

    def __init__(self, platform: Platform) -> None:
        self._folder = platform.secrets

    def secret(self, name: str, *, length: int = 32) -> str:
        """Return the secret `name`. If there is none yet, make one of `length` random bytes, as URL-safe text."""
        return self._kept(name, lambda: secrets.token_urlsafe(length).replace("-", "a").replace("_", "b"))

    def service_seed(self, service: str) -> str:
        """Return the service's Ed25519 seed, base64 of 32 bytes."""
        return self._kept(f"service-key-{service}", lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def service_public_keys(self) -> str:
        """Return every service's raw public key in base64, as JSON by name."""
        return json.dumps({service: self._public(service) for service in SERVICES})

    def service_seeds(self) -> str:
        """Return every service's seed as JSON by name. Only for tests and benchmarks that act as every service."""
        return json.dumps({service: self.service_seed(service) for service in SERVICES})

    def sign_in(self, name: str) -> str:
        """Return a sign-in password: the environment's, else one that is made once and kept."""
        return os.environ.get(name) or self._kept(name, lambda: secrets.token_urlsafe(12))

    def _public(self, service: str) -> str:
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.service_seed(service)))
        return base64.b64encode(key.public_key().public_bytes_raw()).decode()

    def _kept(self, name: str, make: Callable[[], str]) -> str:
        path = self._folder / name
        if value := _read(path):
            return value
        draft = self._folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        try:
            os.link(draft, path)  # fails if another launcher was first; then its secret counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
