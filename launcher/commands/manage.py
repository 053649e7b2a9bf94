"""`manage`, `migrate`, `seed`: a service's own management commands, in the environment its processes have."""

import os
import subprocess
import sys
from collections.abc import Sequence

from launcher import stamps
from launcher.environment import long_command_environment, service_environment
from launcher.platform import Platform
from launcher.processes import SERVICES, WITH_DATABASE, package
from launcher.refusal import Refusal
from launcher.report import Report
from launcher.vault import Vault


def service_named(name: str) -> str:
    """Return the service that is meant by `bookings` or `bookings_service`. Raises Refusal for any other name."""
    service = name.rstrip("/").removesuffix("_service")
    if service not in SERVICES:
        raise Refusal(f"There is no service {name}. There are: {', '.join(SERVICES)}.")
    return service


def manage(platform: Platform, service: str, arguments: Sequence[str]) -> None:
    """Become `<service>/manage.py` with these arguments; does not return."""
    name = service_named(service)
    platform.make_folders()
    environment = service_environment(name, platform, Vault(platform), external=is_external(platform))
    os.chdir(platform.root)
    script = f"{package(name)}/manage.py"
    os.execve(sys.executable, [sys.executable, script, *arguments], environment)


def migrate(platform: Platform) -> int:
    """Migrate every database that runs, one after another; 0, or the first exit code that is not."""
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


def seed(platform: Platform, travellers: int | None) -> int:
    """Seed the catalogue and the staff again, and make `travellers` verified travellers; 0, or the first bad exit code."""
    extra = ["--travellers", str(travellers)] if travellers is not None else []
    code = run(platform, "users", "seed", *extra)
    if not code and travellers is not None and not os.environ.get("DEMO_PASSWORD"):
        print(f"The travellers' password: {Vault(platform).sign_in('DEMO_PASSWORD')}")
    return code or run(platform, "destinations", "seed")


def run(platform: Platform, service: str, *arguments: str) -> int:
    """Run a long management command to its end and return its exit code."""
    environment = long_command_environment(
        service_environment(service, platform, Vault(platform), external=is_external(platform))
    )
    command = [sys.executable, f"{package(service)}/manage.py", *arguments]
    return subprocess.run(command, cwd=platform.root, env=environment, check=False).returncode


def is_external(platform: Platform) -> bool:
    """Return whether the platform that runs uses infrastructure that is not its own."""
    report = Report.read(platform)
    if report is None or not report.alive() or not report.processes:
        return False
    return all(line.name != "postgres" for line in report.processes)
