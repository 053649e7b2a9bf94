"""Print the packages of a service's `requirements/*.in` that the service does not use. test_locks runs this.

A package is used if one of its modules is loaded when every module of the service and its cache are, or if a setting or
a command of the launcher's table names it.
"""

import importlib
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import django
from django.conf import settings
from django.core.cache import caches
from import_all import names_below

from launcher.processes import TABLE

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
NEVER_IMPORTED_BY_NAME = {
    "tzdata",  # data, which zoneinfo reads
    "argon2-cffi",  # Django's password hasher loads it with the first password
}


def packages_of(name: str) -> list[str]:
    """Return the packages of an `.in` file and of the files that it includes."""
    packages = []
    for line in (REQUIREMENTS / f"{name}.in").read_text().splitlines():
        if line.startswith("-r "):
            packages += packages_of(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith(("#", "-")):
            packages.append(re.split(r"[\[<>= ]", line)[0])
    return packages


def modules_by_package() -> dict[str, set[str]]:
    """Return the top-level modules of each installed package."""
    modules: dict[str, set[str]] = {}
    for module, packages in packages_distributions().items():
        for package in packages:
            modules.setdefault(re.sub(r"[-_.]+", "-", package).lower(), set()).add(module)
    return modules


if __name__ == "__main__":
    service = sys.argv[1]
    django.setup()
    for name in names_below(service):
        importlib.import_module(name)
    if "django_redis" in str(settings.CACHES):
        caches["default"].client.get_client()  # loads the backend, and connects nowhere
    used = {name.partition(".")[0] for name in sys.modules}
    commands = [word for process in TABLE if f"{process.service}_service" == service for word in process.command]
    modules = modules_by_package()
    for package in packages_of(service):
        names = modules.get(package, set())
        if package not in NEVER_IMPORTED_BY_NAME and not names & used and not names & set(commands):
            print(package)
