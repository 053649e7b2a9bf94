"""Pid files, lost children, and stopping in order, on real processes."""

import json
import os
import sys
import time
from pathlib import Path

from launcher import children
from launcher.children import Child, spawn, start_mark, strays
from launcher.platform import Platform
from launcher.processes import BY_NAME, STOP_ORDER
from launcher.stopping import stop

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# Writes its name when it is asked to stop, like a server that finishes its requests.
STOPS = """
import os, signal, sys, time
def end(*_):
    with open(sys.argv[1], "a") as file:
        file.write(os.environ["TRAVEL_PROCESS"] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(60)
"""
IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


def started(platform: Platform, name: str, *command: str) -> Child:
    child, process = spawn(platform, name, [sys.executable, "-c", *command], environment=os.environ)
    process.returncode = 0  # this test does not wait for its end
    while not children.last_lines(children.log_of(platform, name)):
        time.sleep(0.01)
    return child


def test_a_process_with_the_same_pid_is_not_the_child(platform: Platform) -> None:
    """Seen failing (the test run itself was taken for users.web) with only the pid compared."""
    child = Child("users.web", os.getpid(), "another boot:1")
    children.write_record(platform, child)

    assert children.running(platform, "users.web") is None


def test_an_unreadable_pid_file_counts_as_missing(platform: Platform) -> None:
    (platform.run / "users.web.pid.json").write_text('{"name": "users.w')

    assert children.running(platform, "users.web") is None


def test_a_zombie_does_not_run(platform: Platform) -> None:
    child, process = spawn(platform, "users.web", [sys.executable, "-c", ""], environment=os.environ)
    while start_mark(child.pid):
        time.sleep(0.01)

    assert not child.alive()
    process.wait()


def test_a_child_without_a_pid_file_is_recognised_by_its_mark(platform: Platform) -> None:
    child = started(platform, "users.web", IGNORES_SIGTERM)
    (platform.run / "users.web.pid.json").unlink()

    assert [(stray.name, stray.pid) for stray in strays(platform)] == [("users.web", child.pid)]


def test_processes_of_another_platform_are_left_alone(platform: Platform, tmp_path: Path) -> None:
    other = Platform(var=tmp_path / "other")
    other.make_folders()
    child = started(other, "users.web", IGNORES_SIGTERM)

    stop(platform)

    assert child.alive()
    child.kill()


def test_stops_web_then_rpc_then_workers_then_relays(platform: Platform, tmp_path: Path) -> None:
    order = tmp_path / "order"
    names = ["bookings.relay", "bookings.consumer", "gateway.web", "users.rpc", "mail"]
    for name in names:
        started(platform, name, STOPS, str(order))

    stopped = stop(platform)

    assert sorted(stopped) == sorted(names)
    assert [BY_NAME[name].kind for name in order.read_text().split()] == list(STOP_ORDER)
    assert not [name for name in names if children.recorded(platform, name)]


def test_a_process_that_does_not_stop_is_killed_within_the_budget(platform: Platform) -> None:
    stubborn = [
        started(platform, name, IGNORES_SIGTERM)
        for name in ("users.web", "users.rpc", "users.relay", "bookings.consumer")
    ]
    began = time.monotonic()

    stop(platform, budget=4)

    assert time.monotonic() - began < 5
    assert not [child for child in stubborn if child.alive()]


def test_a_migration_left_by_a_killed_launcher_is_ended(platform: Platform) -> None:
    helper = started(platform, "migrate-users", IGNORES_SIGTERM)

    stop(platform)

    assert not helper.alive()


def test_a_long_log_is_renamed_at_the_next_start(platform: Platform) -> None:
    log = children.log_of(platform, "users.web")
    with log.open("wb") as file:
        file.truncate(children.LARGEST_LOG + 1)

    started(platform, "users.web", IGNORES_SIGTERM)

    assert log.with_suffix(".log.1").stat().st_size == children.LARGEST_LOG + 1
    assert log.read_text() == "up\n"


def test_a_pid_file_is_whole_json(platform: Platform) -> None:
    child = started(platform, "users.web", IGNORES_SIGTERM)

    raw = json.loads((platform.run / "users.web.pid.json").read_text())

    assert raw == {"name": "users.web", "pid": child.pid, "started": start_mark(child.pid), "restarts": 0}
