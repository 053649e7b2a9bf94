"""`demo`: play the demo against the platform that is up."""

import demo as played
from demo.staff import Staff
from launcher import ports
from launcher.environment import public_addresses
from launcher.platform import Platform
from launcher.refusal import Refusal
from launcher.report import Phase, Report
from launcher.summary import ADMIN
from launcher.vault import Vault


def demo(platform: Platform, *, full: bool) -> int:
    """Play the demo and return its exit code; `full` adds what can go wrong.

    Raises Refusal if the platform is not up.
    """
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
    environment = played.DemoEnvironment(
        gateway_url=gateway, mail=platform.mail, output=output, links=links, staff=staff
    )
    return played.run(environment, full=full)


def _check_up(platform: Platform) -> None:
    report = Report.read(platform)
    if report is None or not report.alive():
        raise Refusal(f"No platform is up in {platform.var}.", "./manage_all.py up --detach")
    if report.phase is not Phase.READY:
        raise Refusal(f"The platform in {platform.var} is {report.phase}, not ready.", "./manage_all.py status")
