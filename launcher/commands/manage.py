"""`manage`, `migrate`, `seed`: run management commands of a service, in the environment of its processes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from launcher import children, stamps
from launcher.environment import long_command_environment, service_environment
from launcher.platform import Platform
from launcher.processes import SERVICES, TABLE, WITH_DATABASE, package
from launcher.refusal import Refusal
from launcher.report import is_external
from launcher.vault import Vault

UP: Final = "./manage_all.py up --detach"


def service_named(name: str) -> str:
    """Return `bookings` for `bookings` or `bookings_service`. Raises Refusal for an unknown name."""
    service = name.rstrip("/").removesuffix("_service")
    if service not in SERVICES:
        raise Refusal(f"There is no service {name}. The services are: {', '.join(SERVICES)}.")
    return service


def manage(platform: Platform, service: str, arguments: Sequence[str]) -> None:
    """Replace this process with `<service>/manage.py` and these arguments. Does not return."""
    name = service_named(service)
    platform.make_folders()
    environment = service_environment(name, platform, Vault(platform), external=is_external(platform))
    os.chdir(platform.root)
    script = f"{package(name)}/manage.py"
    os.execve(sys.executable, [sys.executable, script, *arguments], environment)


def migrate(platform: Platform) -> int:
    """Migrate the database of every service. Return 0, or the first exit code that is not 0. Raises Refusal."""
    _check_running(platform)
    for service in WITH_DATABASE:
        print(f"{service}:", flush=True)
        code = run(platform, service, "migrate", "--no-input")
        if code:
            return code
        environment = service_environment(service, platform, Vault(platform), external=is_external(platform))
        stamps.write(
            environment[f"{service.upper()}_DATABASE_URL"], **{stamps.MIGRATIONS: stamps.migrations_of(service)}
        )
    return 0


def seed(platform: Platform, travellers: int | None, *, world: bool = False) -> int:
    """Seed the staff and the catalogue, and make verified travellers. With `world`, also import its places.

    Return 0, or the first exit code that is not 0. Raises Refusal.
    """
    _check_running(platform)
    extra = ["--travellers", str(travellers)] if travellers is not None else []
    code = run(platform, "users", "seed", *extra)
    if not code and travellers is not None and not os.environ.get("DEMO_PASSWORD"):
        print(f"The password of the travellers: {Vault(platform).sign_in('DEMO_PASSWORD')}")
    return code or run(platform, "destinations", "seed", *(["--world"] if world else []))


def run(platform: Platform, service: str, *arguments: str) -> int:
    """Run a long management command to its end and return its exit code."""
    environment = long_command_environment(
        service_environment(service, platform, Vault(platform), external=is_external(platform))
    )
    command = [sys.executable, f"{package(service)}/manage.py", *arguments]
    return subprocess.run(command, cwd=platform.root, env=environment, check=False).returncode


def _check_running(platform: Platform) -> None:
    if not any(children.running(platform, process.name) for process in TABLE):
        raise Refusal(f"The platform in {platform.var} does not run, so its databases do not answer.", UP)
