"""What `up` prints when everything is ready: the addresses, how to sign in, what to type next."""

import os
import shlex
import sys

from rich.console import Console
from rich.table import Table

from launcher import ports
from launcher.platform import Platform
from launcher.report import Report
from launcher.vault import Vault

ADMIN: str = "admin@travel.example"


def print_summary(platform: Platform, report: Report, *, detached: bool) -> None:
    """Print the addresses, the admin's sign-in and the next command.

    The password is printed only once, and kept in var/secrets.
    """
    gateway = f"http://localhost:{platform.port(ports.HTTP['gateway'])}"
    grid = Table.grid(padding=(0, 2))
    grid.add_row("GraphQL", f"{gateway}/graphql")
    grid.add_row("REST", f"{gateway}/api/docs/")
    for service in ("users", "destinations", "bookings", "notifications"):
        base = f"http://localhost:{platform.port(ports.HTTP[service])}"
        grid.add_row(service, f"{base}/admin/   {base}/api/docs/")
    grid.add_row("mail, SMS, logs", f"{platform.mail}   {platform.sms}   {platform.log}")
    grid.add_row("admin sign-in", _sign_in(platform))
    if (public := os.environ.get("PUBLIC_URL", "")).startswith("https://"):
        grid.add_row(
            "HTTPS", f"/admin/ and /api/v1/ of the services redirect to https: open them through the proxy of {public}"
        )
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)
    console.print(f"\n[bold green]The platform is ready.[/] {len(report.processes)} processes.\n")
    console.print(grid)
    command = next_command(platform)
    console.print(f"\nNext: [bold]{command} demo[/]" + (f"   stop: {command} down" if detached else "   stop: Ctrl-C"))


def next_command(platform: Platform) -> str:
    """Return `./manage_all.py`, after the variables that select this platform."""
    shown = [f"{name}={os.environ[name]}" for name in ("TRAVEL_VAR", "PORT_OFFSET") if os.environ.get(name)]
    return " ".join([*shown, "./manage_all.py"])


def _sign_in(platform: Platform) -> str:
    kept = platform.secrets / "ADMIN_PASSWORD"
    if os.environ.get("ADMIN_PASSWORD"):
        return f"{ADMIN}   (password: the one in ADMIN_PASSWORD)"
    shown = platform.secrets / ".admin-shown"
    if shown.exists():
        return f"{ADMIN}   (password: cat {shlex.quote(str(kept))})"
    shown.touch(mode=0o600)
    return f"{ADMIN}   {Vault(platform).sign_in('ADMIN_PASSWORD')}"
