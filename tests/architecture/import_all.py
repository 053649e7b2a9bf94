"""Imports every module of the service named, as its processes would: run by test_locks in an environment of its lock alone."""

import importlib
import pkgutil
import sys

import django

LEFT_OUT = {"tests", "migrations", "seed_data"}


def names_below(package: str) -> list[str]:
    """Return every module of `package` that a process may import, tests and migrations aside."""
    path = importlib.import_module(package).__path__
    found = []
    for module in pkgutil.iter_modules(path, prefix=f"{package}."):
        if module.name.rpartition(".")[2] in LEFT_OUT | {"manage"}:
            continue
        found.append(module.name)
        if module.ispkg:
            found.extend(names_below(module.name))
    return found


if __name__ == "__main__":
    django.setup()
    modules = names_below(sys.argv[1])
    for name in modules:
        importlib.import_module(name)
    print(len(modules))
