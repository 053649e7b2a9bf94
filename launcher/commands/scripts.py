"""`demo` and `bench`: what shows and what measures the platform."""

import os
import subprocess
import sys
from collections.abc import Sequence

from launcher import ports
from launcher.environment import all_services
from launcher.platform import Platform
from launcher.refusal import Refusal
from launcher.report import Phase, Report
from launcher.summary import ADMIN
from launcher.vault import Vault


def demo(platform: Platform, *, full: bool) -> int:
    """Play the demo against the platform, which must be up; `full` adds what can go wrong. Raises Refusal."""
    from demo import DemoEnvironment, run
    from demo.staff import Staff

    _check_up(platform)
    gateway = public_addresses(platform)["GATEWAY_URL"]
    links = {
        "GraphiQL": f"{gateway}/graphql",
        "REST": f"{gateway}/api/docs/",
        "admin (bookings)": f"http://localhost:{platform.port(ports.HTTP['bookings'])}/admin/",
        "mails": str(platform.mail),
    }
    output = platform.var / "demo"
    output.mkdir(exist_ok=True)
    staff = Staff(
        email=ADMIN,
        password=Vault(platform).sign_in("ADMIN_PASSWORD"),
        catalogue_url=f"http://localhost:{platform.port(ports.HTTP['destinations'])}",
    )
    there = DemoEnvironment(gateway_url=gateway, mail=platform.mail, output=output, links=links, staff=staff)
    return run(there, full=full)


def bench(platform: Platform, arguments: Sequence[str]) -> int:
    """Run one of benchmarks/ (its name, then its options) with the platform's addresses. Raises Refusal where there is none."""
    platform.make_folders()
    known = sorted(path.stem for path in (platform.root / "benchmarks").glob("*.py") if not path.stem.startswith("_"))
    if not arguments or arguments[0] not in known:
        raise Refusal(
            f"bench takes one of: {', '.join(known) or 'nothing yet'}.",
            f"./manage_all.py bench {known[0]}" if known else "",
        )
    environment = {**os.environ, **all_services(platform, Vault(platform)), **public_addresses(platform)}
    program = [sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]]
    return subprocess.run(program, cwd=platform.root, env=environment, check=False).returncode


def public_addresses(platform: Platform) -> dict[str, str]:
    """Return where a program that uses public interfaces alone finds them."""
    return {
        "GATEWAY_URL": f"http://localhost:{platform.port(ports.HTTP['gateway'])}",
        "TRAVEL_VAR": str(platform.var),
        "PORT_OFFSET": str(platform.offset),
        "MAIL_DIR": str(platform.mail),
    }


def _check_up(platform: Platform) -> None:
    report = Report.read(platform)
    if report is None or not report.alive() or report.phase is not Phase.READY:
        raise Refusal("The platform is not up.", "./manage_all.py up --detach")
