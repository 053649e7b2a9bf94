"""Import every module of a service, as its processes do. test_locks runs this in an environment with only the service's
lock.
"""

import importlib
import pkgutil
import sys

import django

SKIPPED = {"tests", "migrations", "seed_data"}


def names_below(package: str) -> list[str]:
    """Return every module of `package` that a process may import, without tests and migrations."""
    path = importlib.import_module(package).__path__
    names = []
    for module in pkgutil.iter_modules(path, prefix=f"{package}."):
        if module.name.rpartition(".")[2] in SKIPPED | {"manage"}:
            continue
        names.append(module.name)
        if module.ispkg:
            names.extend(names_below(module.name))
    return names


if __name__ == "__main__":
    django.setup()
    modules = names_below(sys.argv[1])
    for name in modules:
        importlib.import_module(name)
    print(len(modules))
