"""Failpoints: names and places in the code match, a process kills itself there once, and never in production."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.failpoints import FAILPOINTS, failpoint

ROOT = Path(__file__).resolve().parents[3]
CODE = ("shared", "bookings_service", "destinations_service", "notifications_service", "payment_sandbox")
HIT = "from shared.failpoints import failpoint; failpoint('pay.recorded'); print('alive')"


def hit(tmp_path, **environment):
    """Run a program that reaches pay.recorded, in an environment with only these variables."""
    environment = {"FAILPOINT_DIR": str(tmp_path), "TRAVEL_PROCESS": "bookings.rpc", "DEBUG": "true", **environment}
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", HIT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_every_name_is_in_the_code_and_every_place_has_a_name():
    """Seen failing with a call misspelt in pay.py, and with a name that no call had."""
    placed = [
        name
        for folder in CODE
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts
        for name in re.findall(r"^\s+failpoint\(\"(.+)\"\)$", path.read_text(), re.MULTILINE)
    ]

    assert sorted(placed) == sorted(FAILPOINTS)


def test_nothing_happens_without_the_variable(tmp_path):
    failpoint("pay.recorded")

    assert hit(tmp_path).stdout == "alive\n"
    assert list(tmp_path.iterdir()) == []


def test_the_process_kills_itself_there_once(tmp_path):
    """It is killed with SIGKILL and writes the file. The next process with the same environment gets past."""
    first = hit(tmp_path, FAILPOINT="pay.recorded")
    marker = (tmp_path / "pay.recorded").read_text()
    second = hit(tmp_path, FAILPOINT="pay.recorded")

    assert (first.returncode, first.stdout) == (-9, "")
    assert re.fullmatch(r"bookings\.rpc \d+\n", marker)
    assert (second.returncode, second.stdout) == (0, "alive\n")


def test_the_process_stops_itself_there_and_goes_on_when_it_is_woken(tmp_path):
    environment = {
        "FAILPOINT": "pay.recorded", "FAILPOINT_ACTION": "stop", "FAILPOINT_DIR": str(tmp_path), "DEBUG": "true",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", HIT], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert (tmp_path / "pay.recorded").exists()
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=20)[0] == "alive\n"


def test_another_failpoint_does_nothing(tmp_path):
    assert hit(tmp_path, FAILPOINT="pay.answered").stdout == "alive\n"


@pytest.mark.parametrize(
    "wrong",
    [
        {"DEBUG": None},
        {"DEBUG": "false"},
        {"FAILPOINT": "pay.recoded"},
        {"FAILPOINT_DIR": None},
        {"FAILPOINT_ACTION": "nap"},
    ],
    ids=["production", "DEBUG off", "misspelt", "no folder", "unknown action"],
)
def test_a_process_with_a_wrong_failpoint_does_not_start(tmp_path, wrong):
    """One line and the exit code of a wrong configuration.

    Seen failing without the refusal: the process was killed, or ran on.
    """
    done = hit(tmp_path, **{"FAILPOINT": "pay.recorded", **wrong})

    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == (
        "FAILPOINT is for tests of crashes: a name of shared/failpoints.py, FAILPOINT_DIR and DEBUG go with it\n"
    )


def test_a_service_refuses_it_before_it_serves():
    """The settings of every service import it, because a web server's first request would be too late."""
    code = "import os; os.environ.update(FAILPOINT='pay.recorded'); import shared.settings.security"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=False)

    assert done.returncode == 78
