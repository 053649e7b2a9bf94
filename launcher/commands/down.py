"""`down` and `reset`: stop everything in order. `reset` deletes the state too."""

import shlex
import shutil

from launcher import children
from launcher.commands.up import stop_supervisor
from launcher.infrastructure import postgres
from launcher.platform import MARKER, Platform
from launcher.processes import TABLE
from launcher.refusal import Refusal
from launcher.report import Report
from launcher.stopping import stop


def down(platform: Platform) -> list[str]:
    """Stop every process that runs, through its supervisor if it has one.

    Return the names of what ran. Raises Refusal.
    """
    if not platform.run.is_dir():
        return []
    ran = [process.name for process in TABLE if children.running(platform, process.name)]
    report = Report.read(platform)
    if report and report.alive():
        stop_supervisor(platform)
    return ran + [name for name in stop(platform) if name not in ran]


def check_reset(platform: Platform) -> None:
    """Raise Refusal unless everything that `reset` would delete was made by the launcher."""
    if not platform.marker.is_file():
        raise Refusal(
            f"Nothing was deleted: {platform.var} has no file {MARKER}, which marks a folder that manage_all.py made."
            " (Older versions did not write it.)",
            f"touch {shlex.quote(str(platform.marker))} && ./manage_all.py reset"
            "    (only if everything in it may be deleted)",
        )
    outside = postgres.outside_folder(platform)
    if outside is not None and outside.exists() and not postgres.is_made_for(outside, platform):
        marker = shlex.quote(str(outside / MARKER))
        raise Refusal(
            f"Nothing was deleted: {outside}, which has the databases of {platform.var}, does not name"
            f" that folder in its file {MARKER}.",
            f"echo {shlex.quote(str(platform.var))} > {marker} && ./manage_all.py reset"
            "    (only if everything in it may be deleted)",
        )


def reset(platform: Platform) -> None:
    """Stop everything and delete the state: databases, topics, mails, photos, secrets.

    Raises Refusal, see `check_reset`.
    """
    check_reset(platform)
    for each in (*platform.test_platforms(), platform):
        down(each)
        postgres.remove(each)
    shutil.rmtree(platform.var.resolve())
    if platform.var.is_symlink():
        platform.var.unlink()
