"""The supervisor on real servers: adoption, restart, interrupted set-ups, and its end with its owner."""

import os
import shutil
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from launcher import children, stamps
from launcher.bringup import Extent
from launcher.commands import up
from launcher.commands.up import check_ports, follow, retry_now
from launcher.infrastructure import kafka, postgres, valkey
from launcher.platform import Platform
from launcher.refusal import Refusal
from launcher.report import Phase, Report
from launcher.tests.conftest import supervise
from launcher.vault import Vault
from shared.testing.patience import eventually

SERVERS = ("postgres", "valkey", "kafka", "mail")


def pids(platform: Platform) -> dict[str, int]:
    return {name: child.pid for name in SERVERS if (child := children.running(platform, name))}


def kill_supervisor(platform: Platform) -> None:
    report = Report.read(platform)
    assert report is not None
    os.kill(report.supervisor, signal.SIGKILL)
    eventually(lambda: not report.alive())


def test_the_next_supervisor_adopts_the_children_of_a_killed_one(running: Platform) -> None:
    before = pids(running)
    kill_supervisor(running)
    assert pids(running) == before

    supervise(running)

    assert pids(running) == before
    assert sorted(before) == sorted(SERVERS)


def test_a_child_whose_pid_file_was_lost_is_adopted(running: Platform) -> None:
    before = pids(running)
    kill_supervisor(running)
    (running.run / "valkey.pid.json").unlink()

    check_ports(running, Extent(services=False))
    supervise(running)

    assert pids(running) == before


def test_a_second_up_restarts_nothing(running: Platform) -> None:
    before, report = pids(running), Report.read(running)
    assert report is not None

    retry_now(running, report)
    again = follow(running, until_ready=True, quiet=True)

    assert again.phase is Phase.READY
    assert again.supervisor == report.supervisor
    assert pids(running) == before


def test_a_killed_server_comes_back(running: Platform) -> None:
    old = pids(running)["valkey"]

    os.kill(old, signal.SIGKILL)

    eventually(lambda: pids(running).get("valkey") not in (None, old))
    fresh = children.running(running, "valkey")
    assert fresh is not None
    assert fresh.restarts == 1
    eventually(lambda: valkey.ready(running, Vault(running)))
    report = Report.read(running)
    assert report is not None
    assert [crash.name for crash in report.crashes] == ["valkey"]


def test_postgres_comes_back_with_what_was_committed(running: Platform) -> None:
    vault = Vault(running)
    with postgres.connect(running, vault) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    old = pids(running)["postgres"]

    os.kill(old, signal.SIGKILL)
    eventually(lambda: pids(running).get("postgres") not in (None, old), timeout=20)

    def answer() -> int:
        try:
            with postgres.connect(running, vault) as connection:
                row = connection.execute("SELECT answer FROM kept").fetchone()
                return row[0] if row else 0
        except psycopg.OperationalError:
            return 0

    assert eventually(answer, timeout=20) == 42


def test_a_service_role_connects_only_to_its_own_database(running: Platform) -> None:
    vault = Vault(running)
    own = postgres.url(running, vault, "bookings")
    with psycopg.connect(own) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("bookings", "bookings")

    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(f"{own.rpartition('/')[0]}/users")


def test_stamps_are_kept_with_the_database(running: Platform) -> None:
    url = postgres.url(running, Vault(running), "users")

    stamps.write(url, migrations="abc")
    stamps.write(url, seed="def")

    assert stamps.read(url) == {"migrations": "abc", "seed": "def"}


def test_making_topics_twice_adds_only_the_missing(running: Platform) -> None:
    servers = kafka.bootstrap_servers(running)
    environment = {"KAFKA_BOOTSTRAP_SERVERS": servers}

    kafka.make_topics(environment, {"travel.test": 3})
    kafka.make_topics(environment, {"travel.test": 3, "travel.more": 1})

    from confluent_kafka.admin import AdminClient

    topics = AdminClient({"bootstrap.servers": servers}).list_topics(timeout=10).topics
    assert len(topics["travel.test"].partitions) == 3
    assert len(topics["travel.more"].partitions) == 1


def test_a_killed_set_up_starts_again(platform: Platform) -> None:
    """An initdb and a Kafka format that were killed leave drafts. Only a finished one has the final name."""
    home = postgres.locate(platform)
    draft = home.data.with_name(f"{home.data.name}.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18")
    (platform.var / "kafka" / "data.new").mkdir(parents=True)
    (platform.var / "kafka" / "data.new" / "meta.properties").write_text("half")

    supervise(platform)

    assert sorted(pids(platform)) == sorted(SERVERS)
    assert not draft.exists()


def test_everything_ends_with_its_owner(platform: Platform) -> None:
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    supervise(platform, "--owner", str(owner.pid))
    assert sorted(pids(platform)) == sorted(SERVERS)

    owner.kill()
    owner.wait()

    eventually(lambda: not pids(platform), timeout=15)
    report = Report.read(platform)
    assert report is not None
    eventually(lambda: not report.alive())


def test_a_used_port_is_named_with_its_process(platform: Platform) -> None:
    port = platform.port(8079)
    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); print(1, flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with pytest.raises(Refusal) as refused:
            check_ports(platform, Extent())
    finally:
        holder.kill()
        holder.communicate()

    assert (
        f"Port {port}, which valkey needs, is used by pid {holder.pid} ({sys.executable} -c import socket"
        in refused.value.message
    )
    assert refused.value.hint.startswith(f"PORT_OFFSET={platform.offset + 100} ")


def test_postgres_runs_also_in_a_folder_that_is_closed_to_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    """For root it runs as another user, with a folder outside. For an ordinary user its data stay in the state folder."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    platform = Platform(var=closed / "var")
    platform.make_folders()
    try:
        home = postgres.locate(platform)

        if os.geteuid() == 0:
            assert postgres.open_to_all(home.data.parent)
            assert str(home.data.parent) == (platform.var / "postgres.location").read_text().strip()
        else:
            assert (home.data, home.user) == (platform.var / "postgres", None)
        postgres.prepare(platform, Vault(platform))
        assert (home.data / "PG_VERSION").exists()
    finally:
        postgres.remove(platform)
    assert os.geteuid() != 0 or not home.data.exists()
    shutil.rmtree(closed)


def test_stopping_is_quick(platform: Platform) -> None:
    supervise(platform)
    began = time.monotonic()

    from launcher.commands.down import down

    assert sorted(down(platform)) == sorted(SERVERS)
    assert time.monotonic() - began < 8
    assert not pids(platform)


def test_a_full_disk_is_reported_before_anything_is_written(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "LEAST_FREE", 10**18)

    with pytest.raises(Refusal, match=r"The disk of .* is full: \d+ MB are free, 1000000000000 MB are needed\."):
        up.up(platform, detach=True, infra="embedded")

    assert not (platform.var / "postgres").exists()
    assert Report.read(platform) is None


def test_a_running_platform_keeps_its_ports(running: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAVEL_VAR", str(running.var))
    monkeypatch.delenv("PORT_OFFSET", raising=False)
    assert Platform.from_environment() == running

    with pytest.raises(Refusal, match=f"runs with PORT_OFFSET={running.offset}"):
        up.up(Platform(var=running.var, offset=100), detach=True, infra="embedded")
