"""`down` and `reset`: stop everything in order; `reset` deletes the state as well."""

import shutil

from launcher import children
from launcher.commands.up import stop_supervisor
from launcher.infrastructure import postgres
from launcher.platform import Platform
from launcher.processes import TABLE
from launcher.refusal import Refusal
from launcher.report import Report
from launcher.stopping import stop


def down(platform: Platform) -> list[str]:
    """Stop whatever runs, through its supervisor or without one, and return the names of what ran. Raises Refusal."""
    if not platform.run.is_dir():
        return []
    ran = [process.name for process in TABLE if children.running(platform, process.name)]
    report = Report.read(platform)
    if report and report.alive():
        stop_supervisor(platform)
    return ran + [name for name in stop(platform) if name not in ran]


def reset(platform: Platform) -> None:
    """Stop everything and delete the state: databases, topics, mails, photos, secrets. Raises Refusal."""
    ours = platform.run.is_dir() or (platform.var / "test" / "lock").exists()
    if platform.var.exists() and not ours and any(platform.var.iterdir()):
        raise Refusal(f"{platform.var} does not look like a platform's state folder: it is left alone.")
    down(platform)
    if platform.var.exists():
        postgres.remove(platform)
        shutil.rmtree(platform.var)
