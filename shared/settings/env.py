"""The environment, read once, with a readable end where it is wrong."""

import os
import sys
from typing import Any, NoReturn

import environ
from django.core.exceptions import ImproperlyConfigured

TRUTHS = {"true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0"}
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
    """django-environ, where a wrong variable is told in one line instead of a traceback."""

    def get_value(
        self, var: Any, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        """Return the variable's value. Ends the process where it is missing without a default, or malformed."""
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
        """Return a boolean; what is neither true nor false ends the process, for a guess would be one way or the other."""
        given = os.environ.get(str(var), "")
        if given and given.lower() not in TRUTHS:
            refuse(f"{var} is malformed: true or false is expected")
        return bool(super().bool(var, default=default))

    def positive(self, name: str, *, default: int) -> int:
        """Return a whole number of at least 0."""
        value = self.int(name, default=default)
        if value < 0:
            refuse(f"{name} is malformed: it must not be negative")
        return int(value)


def _kind(cast: Any) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", dict: "a mapping", list: "a list"}
    return names.get(cast, "another form")


env = Env()
