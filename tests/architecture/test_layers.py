"""The import contracts of pyproject.toml fail on a module without a layer, on a circle, and on payments importing
bookings.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
EXHAUSTIVE = [contract for contract in RULES["contracts"] if contract.get("exhaustive")]
PAYMENTS_ONLY = next(
    contract
    for contract in RULES["contracts"]
    if contract["type"] == "forbidden" and contract["source_modules"] == ["bookings_service.payments"]
)
NO_CIRCLES = next(contract for contract in RULES["contracts"] if contract["type"] == "acyclic_siblings")
LINT = "from importlinter.cli import lint_imports_command as run; run()"


def folder_of(package: str) -> Path:
    return Path(*package.split("."))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return KEPT or BROKEN by contract, for a copy of the packages with these mistakes planted.

    Each container whose layers are exhaustive gets a module `flat.py`, payments an import of bookings, and two modules
    of the gateway import each other.
    """
    copy = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in RULES["root_packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=lambda _, names: [n for n in names if is_left_out(n)])
    for contract in EXHAUSTIVE:
        for container in contract["containers"]:
            (copy / folder_of(container) / "flat.py").touch()
    with (copy / "bookings_service" / "payments" / "ledger.py").open("a") as module:
        module.write("from bookings_service.bookings.models import Booking\n")
    with (copy / "gateway_service" / "gateway" / "operation" / "loaders.py").open("a") as module:
        module.write("from gateway_service.gateway.operation.context import Operation\n")
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=copy, env={"COLUMNS": "300"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))


def is_left_out(name: str) -> bool:
    return name in {"tests", "migrations", "__pycache__"} or ("." in name and not name.endswith(".py"))


@pytest.mark.parametrize("contract", EXHAUSTIVE, ids=lambda contract: contract["containers"][0])
def test_a_module_without_a_layer_breaks_the_contract(verdicts: dict[str, str], contract: dict[str, str]) -> None:
    assert verdicts[contract["name"]] == "BROKEN"


def test_payments_cannot_import_bookings(verdicts: dict[str, str]) -> None:
    assert verdicts[PAYMENTS_ONLY["name"]] == "BROKEN"


def test_two_modules_cannot_import_each_other(verdicts: dict[str, str]) -> None:
    assert verdicts[NO_CIRCLES["name"]] == "BROKEN"


def test_the_other_contracts_are_kept(verdicts: dict[str, str]) -> None:
    """Only the planted mistakes broke the contracts above."""
    planted = {contract["name"] for contract in [*EXHAUSTIVE, PAYMENTS_ONLY, NO_CIRCLES]}

    assert set(verdicts) == {contract["name"] for contract in RULES["contracts"]}
    assert {name for name, verdict in verdicts.items() if verdict == "BROKEN"} == planted


def test_no_module_may_be_added_without_a_layer() -> None:
    """Seen failing without `exhaustive` in one of these contracts."""
    containers = {container for contract in EXHAUSTIVE for container in contract["containers"]}

    assert containers >= {
        "bookings_service.bookings",
        "bookings_service.bookings.services",
        "bookings_service.payments",
        "destinations_service.catalogue",
        "gateway_service.gateway",
        "notifications_service",
        "notifications_service.billing",
        "notifications_service.notifications",
        "payment_sandbox",
        "users_service.accounts",
    }
