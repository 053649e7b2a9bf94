"""The process that owns a platform's children: `python -m launcher.supervisor`. There is one for each state folder.

It brings the platform up, restarts processes that end without being asked to, and stops everything in order on SIGTERM.
If it is killed, its children run on, and the next supervisor adopts them.
"""

import argparse
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType

from launcher import children
from launcher.bringup import BringUp, Extent
from launcher.children import Child, start_mark
from launcher.platform import Platform
from launcher.processes import BY_NAME
from launcher.refusal import Refusal
from launcher.report import Phase, Reporter, State
from launcher.runner import Runner, Stopped
from launcher.stopping import stop
from launcher.vault import Vault


class Supervisor:
    """One run, from the start of the first child to the end of the last."""

    def __init__(self, platform: Platform, extent: Extent, *, durable: bool, owner: Child | None) -> None:
        self._platform = platform
        self._extent = extent
        self._owner = owner
        self._reporter = Reporter(platform)
        self._runner = Runner(platform, Vault(platform), self._reporter, external=not extent.embedded, durable=durable)
        self._wake = threading.Event()
        self._again = threading.Event()  # set: bring up again what failed

    def run(self) -> None:
        """Run until SIGTERM, SIGINT or the end of the owner. Then stop everything."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGHUP, self._asked_to_retry)
        self._end_helpers()
        begun = self._begin()
        while not self._runner.stopping.is_set():
            self._wake.wait(0.2 if begun.is_alive() else 1.0)
            self._runner.watch()
            if self._again.is_set() and not begun.is_alive():
                begun = self._begin()
            if self._owner is not None and not self._owner.alive():
                self._runner.stopping.set()
        begun.join(timeout=5)
        self._reporter.phase(Phase.STOPPING)
        stop(self._platform, say=lambda name: self._reporter.show(name, State.STOPPED))
        self._reporter.phase(Phase.STOPPED)

    def _begin(self) -> threading.Thread:
        self._again.clear()
        self._runner.starting.set()
        self._reporter.phase(Phase.STARTING)
        thread = threading.Thread(target=self._bring_up, daemon=True)
        thread.start()
        return thread

    def _bring_up(self) -> None:
        try:
            BringUp(self._runner, self._extent).run()
        except Stopped:
            pass
        except Refusal as refusal:
            self._reporter.phase(Phase.FAILED, refusal.message, refusal.hint)
        except Exception as error:  # noqa: BLE001 - `up` waits for the report of any failure; the trace is in the log
            traceback.print_exc()
            self._reporter.phase(Phase.FAILED, f"{type(error).__name__}: {error}", "./manage_all.py logs launcher")
        else:
            self._reporter.phase(Phase.READY)
        finally:
            self._runner.starting.clear()

    def _end_helpers(self) -> None:
        """Kill migrations and seeds that a killed supervisor left running; write the pid files that were lost."""
        known = [child for name in BY_NAME if (child := children.running(self._platform, name))]
        ended = []
        for stray in children.strays(self._platform, known):
            if stray.name in BY_NAME and os.getsid(stray.pid) == stray.pid:
                children.write_record(self._platform, stray)
            else:
                stray.send(signal.SIGKILL)
                ended.append(stray)
        while any(stray.alive() for stray in ended):
            time.sleep(0.02)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._runner.stopping.set()
        self._wake.set()

    def _asked_to_retry(self, number: int, frame: FrameType | None) -> None:
        self._runner.skip_back_off.set()
        self._again.set()
        threading.Timer(1.0, self._runner.skip_back_off.clear).start()


def lock(platform: Platform) -> int | None:
    """Take the lock of the state folder, which a supervisor holds until it ends.

    Return None if another one holds it.
    """
    handle = os.open(platform.run / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def main() -> None:
    """Parse the options that `up` passes, and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--var", type=Path, required=True)
    parser.add_argument("--offset", type=int, required=True)
    parser.add_argument("--external", action="store_true")
    parser.add_argument("--infrastructure-only", action="store_true")
    parser.add_argument("--for-tests", action="store_true")
    parser.add_argument("--owner", type=int)
    given = parser.parse_args()
    platform = Platform(var=given.var, offset=given.offset)
    if lock(platform) is None:
        sys.exit(0)  # another supervisor runs, and `up` reads its report
    (platform.run / "offset").write_text(str(platform.offset))
    owner = Child("owner", given.owner, start_mark(given.owner) or "gone") if given.owner else None
    extent = Extent(embedded=not given.external, services=not given.infrastructure_only, may_create=given.for_tests)
    Supervisor(platform, extent, durable=not given.for_tests, owner=owner).run()


if __name__ == "__main__":
    main()
