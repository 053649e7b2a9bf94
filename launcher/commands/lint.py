"""`lint`: run every linter, type checker and architecture check, also after one has failed."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from launcher.environment import all_services
from launcher.platform import Platform
from launcher.processes import SERVICES, WITH_DATABASE, package
from launcher.vault import Vault

OTHER_PACKAGES: Final = ("shared", "launcher", "demo", "payment_sandbox", "deploy", "manage_all.py")
SETTINGS_OF: Final = "bookings"  # the service whose settings install every app of shared/


def lint(platform: Platform) -> int:
    """Run every check and print which of them failed. Return 1 if one did."""
    platform.make_folders()
    environment = {"PATH": str(Path(sys.executable).parent), **_settings(platform)}
    failed = [
        name
        for name, (command, extra) in checks(platform).items()
        if not _passes(name, command, {**environment, **extra})
    ]
    print(f"\nlint: {'every check passed' if not failed else 'failed: ' + ', '.join(failed)}")
    return 1 if failed else 0


def checks(platform: Platform) -> dict[str, tuple[list[str], Mapping[str, str]]]:
    """Return the command of each check, and the variables that it needs in addition."""
    tools = Path(sys.executable).parent
    python = [sys.executable, "-m"]
    script = [sys.executable, "-c"]
    commands: dict[str, tuple[list[str], Mapping[str, str]]] = {
        "ruff": ([*python, "ruff", "check", "."], {}),
        "format": ([*python, "ruff", "format", "--check", "."], {}),
        "layers": ([*script, "from importlinter.cli import lint_imports_command as run; run()"], {}),
        "proto": ([str(tools / "buf"), "lint", "proto"], {}),
        "proto, generated": (in_python("launcher.commands.proto"), {}),
    }
    if (platform.root / "proto" / "baseline.binpb").exists():
        commands["proto, breaking"] = (
            [str(tools / "buf"), "breaking", "proto", "--against", "proto/baseline.binpb"],
            {},
        )
    commands["events"] = (in_python("launcher.contract_gate.events"), {})
    commands["graphql"] = (
        in_python("launcher.contract_gate.graphql"),
        {"DJANGO_SETTINGS_MODULE": f"{package('gateway')}.config.settings"},
    )
    commands["documents, generated"] = (in_python("launcher.commands.docs"), {})
    for service in SERVICES:
        if (platform.root / package(service) / "config").is_dir():
            settings = {"DJANGO_SETTINGS_MODULE": f"{package(service)}.config.settings"}
            command = [
                *python,
                "mypy",
                "--follow-imports=silent",
                f"--cache-dir=.mypy_cache/{service}",
                package(service),
            ]
            commands[f"types of {service}"] = (command, settings)
    rest = [name for name in OTHER_PACKAGES if (platform.root / name).exists()]
    settings = {"DJANGO_SETTINGS_MODULE": f"{package(SETTINGS_OF)}.config.settings"}
    commands["types of the rest"] = ([*python, "mypy", "--cache-dir=.mypy_cache/rest", *rest], settings)
    for service in WITH_DATABASE:
        if (platform.root / package(service) / "manage.py").exists():
            settings = {"DJANGO_SETTINGS_MODULE": f"{package(service)}.config.settings"}
            commands[f"migrations of {service}"] = ([*python, "shared.testing.migrations"], settings)
    return commands


def in_python(module: str) -> list[str]:
    """Return the command of a check in Python: the module's `check` prints complaints and returns the exit code."""
    imports = f"import sys; from launcher.cli import guarded; from {module} import check"
    return [sys.executable, "-c", f"{imports}; sys.exit(guarded(lambda: sys.exit(check())))"]


def _passes(name: str, command: list[str], environment: Mapping[str, str]) -> bool:
    print(f"--- {name}", flush=True)
    return (
        subprocess.run(command, cwd=Platform.from_environment().root, env=dict(environment), check=False).returncode
        == 0
    )


def _settings(platform: Platform) -> dict[str, str]:
    return {"HOME": str(Path.home()), **all_services(platform, Vault(platform)), "TERM": "dumb"}
