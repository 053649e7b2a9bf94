"""Reads the environment. A wrong variable ends the process with one readable line."""

import os
import sys
from typing import Any, NoReturn

import environ
from django.core.exceptions import ImproperlyConfigured

BOOLEANS = {"true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0"}
EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state


def service_folder() -> str:
    """Return the name of the service whose settings this process runs: bookings_service, …"""
    return os.environ.get("DJANGO_SETTINGS_MODULE", "travel").split(".", 1)[0]


def refuse(problem: str) -> NoReturn:
    """End the process with one line on stderr and the exit code of a misconfigured program."""
    sys.stderr.write(f"{service_folder()}: {problem}\n")
    sys.stderr.flush()
    raise SystemExit(EX_CONFIG)


class Env(environ.Env):
    """django-environ that reports a wrong variable in one line instead of a traceback."""

    def get_value(
        self, var: Any, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        """Return the variable's value. Ends the process if it is malformed, or missing without a default."""
        name = str(var)
        if default is not environ.Env.NOTSET and not os.environ.get(name):
            return default
        if not os.environ.get(name):
            refuse(f"{name} is not set")
        try:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except (ImproperlyConfigured, ValueError, TypeError):
            refuse(f"{name} is malformed: {_kind(cast)} is expected")

    def bool(self, var: Any, default: Any = environ.Env.NOTSET) -> bool:
        """Return a boolean. Ends the process for any other word, because a guess could be wrong."""
        given = os.environ.get(str(var), "")
        if given and given.lower() not in BOOLEANS:
            refuse(f"{var} is malformed: true or false is expected")
        return bool(super().bool(var, default=default))

    def whole_number(self, name: str, *, default: int) -> int:
        """Return a whole number of at least 0. Ends the process for any other value."""
        value = self.int(name, default=default)
        if value < 0:
            refuse(f"{name} is malformed: it must not be negative")
        return int(value)


def _kind(cast: Any) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", dict: "a mapping", list: "a list"}
    return names.get(cast, "another form")


env = Env()
