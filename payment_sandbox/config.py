"""The sandbox's configuration, read from the environment."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self
from urllib.parse import urlsplit

EX_CONFIG = 78


@dataclass(frozen=True, slots=True)
class Config:
    """The address the sandbox listens on, the path of its store, and where it sends webhooks, with their secret."""

    host: str
    port: int
    store: Path
    webhook_url: str
    webhook_secret: str
    public_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the environment. End the process with one message if a variable is missing or malformed."""
        url = urlsplit(_required(environment, "PAYMENT_SANDBOX_URL"))
        try:
            port = url.port
        except ValueError:
            port = None
        if url.scheme != "http" or not port:
            _refuse("PAYMENT_SANDBOX_URL is malformed: http://host:port is expected")
        return cls(
            host=environment.get("SANDBOX_HOST_ADDRESS") or "127.0.0.1",
            port=port,
            store=Path(environment.get("SANDBOX_STORE") or Path(environment.get("RUN_DIR") or ".") / "sandbox.sqlite3"),
            webhook_url=_required(environment, "PAYMENT_WEBHOOK_URL"),
            webhook_secret=_required(environment, "PAYMENT_WEBHOOK_SECRET"),
            public_url=(environment.get("SANDBOX_PUBLIC_URL") or f"http://localhost:{port}").rstrip("/"),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        _refuse(f"{name} is not set")
    return environment[name]


def _refuse(problem: str) -> NoReturn:
    sys.stderr.write(f"payment_sandbox: {problem}\n")
    raise SystemExit(EX_CONFIG)
