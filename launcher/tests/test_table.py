"""The table of processes, the environments made from it, heartbeats, and the order of logs."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from launcher import health
from launcher.children import log_of
from launcher.commands.logs import merged
from launcher.commands.proto import generate
from launcher.environment import FOREIGN, long_command_environment, service_environment
from launcher.platform import ROOT, Platform
from launcher.processes import BY_NAME, SERVICES, TABLE, connections_needed
from launcher.vault import Vault


def test_names_and_ports_are_unique() -> None:
    taken = [process.port for process in TABLE if process.port]

    assert max(Counter(process.name for process in TABLE).values()) == 1
    assert max(Counter(taken).values()) == 1
    assert all(8000 <= port < 8100 for port in taken)


def test_the_needs_of_every_process_are_in_the_table() -> None:
    assert {need for process in TABLE for need in process.needs} <= BY_NAME.keys()


def test_the_cluster_allows_the_connections_of_every_pool() -> None:
    assert sum(process.connections for process in TABLE) < connections_needed({}) <= 200


def test_the_cluster_allows_the_connections_of_several_processes() -> None:
    """Seen failing (the number for one process each) without COPIES."""
    several = connections_needed({"RPC_PROCESSES": "2", "WEB_CONCURRENCY": "3"})

    more = sum(process.connections * {"web": 2, "rpc": 1}.get(process.kind, 0) for process in TABLE)
    assert several == connections_needed({}) + more


def test_variables_that_the_person_set_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKING_HOLD_SECONDS", "5")
    monkeypatch.setenv("DEBUG", "false")
    monkeypatch.setenv("PORT", "1")
    platform = Platform(var=tmp_path / "var", offset=300)
    platform.make_folders()

    environment = service_environment("bookings", platform, Vault(platform))

    assert (environment["BOOKING_HOLD_SECONDS"], environment["DEBUG"]) == ("5", "false")
    assert (environment["PORT"], environment["GRPC_PORT"]) == ("8303", "8313")
    own = {"PORT", "GRPC_PORT", "SECRET_KEY", "SERVICE_PRIVATE_KEY"}
    assert {name for name in FOREIGN if name in environment} == own


def test_services_believe_the_gateway_about_a_client_and_the_gateway_only_the_persons_proxies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a system with only one loopback address the gateway's is 127.0.0.1."""
    monkeypatch.setenv("TRUSTED_PROXIES", "192.0.2.1")
    monkeypatch.setenv("FACADE_SOURCE_ADDRESS", "192.0.2.2")
    platform = Platform(var=tmp_path / "var")
    platform.make_folders()
    environments = {service: service_environment(service, platform, Vault(platform)) for service in SERVICES}

    source = environments["gateway"]["FACADE_SOURCE_ADDRESS"]
    trusted = {service: environment["TRUSTED_PROXIES"] for service, environment in environments.items()}

    assert source == ("127.0.0.2" if sys.platform == "linux" else "127.0.0.1")
    assert trusted.pop("gateway") == "192.0.2.1"
    assert set(trusted.values()) == {f"{source},192.0.2.1"}


def test_a_long_command_has_limits_of_its_own_unless_the_person_set_them() -> None:
    environment = long_command_environment({"DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS": "1000", "PORT": "8001"})

    assert environment == {
        "DATABASE_STATEMENT_TIMEOUT_MS": "0",
        "DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS": "1000",
        "PORT": "8001",
    }


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    platform = Platform(var=tmp_path / "var")
    platform.make_folders()

    first = Vault(platform).secret("django", length=50)

    assert Vault(platform).secret("django", length=50) == first
    assert len(first) >= 50
    assert (platform.secrets / "django").stat().st_mode & 0o777 == 0o600
    assert platform.secrets.stat().st_mode & 0o777 == 0o700


def test_a_heartbeat_counts_only_while_it_is_young_and_ready(tmp_path: Path) -> None:
    platform = Platform(var=tmp_path / "var")
    platform.make_folders()
    relay = BY_NAME["users.relay"]
    heartbeat = platform.run / "users.relay.heartbeat"

    assert not health.ready(relay, platform, {})
    heartbeat.write_text("waiting 1 1\n")
    assert not health.ready(relay, platform, {})
    heartbeat.write_text("ready 1 1\n")
    assert health.ready(relay, platform, {})
    os.utime(heartbeat, (0, 0))
    assert not health.ready(relay, platform, {})


def test_logs_are_merged_by_time(tmp_path: Path) -> None:
    platform = Platform(var=tmp_path / "var")
    platform.make_folders()
    log_of(platform, "users.web").write_text("2026-11-23T10:00:01Z one\n  of two lines\n2026-11-23T10:00:05Z four\n")
    log_of(platform, "kafka").write_text("[2026-11-23 10:00:03,5] three\n")

    lines = [line for _, line in merged(sorted(platform.log.glob("*.log")), 10)]

    assert [line.split()[-1] for line in lines] == ["one", "lines", "three", "four"]


def test_the_committed_code_is_what_proto_generates(tmp_path: Path) -> None:
    generate(tmp_path)

    def contents(folder: Path) -> dict[str, str]:
        files = (path for path in folder.rglob("*.py*") if "__pycache__" not in path.parts)
        return {str(path.relative_to(folder)): path.read_text() for path in files}

    assert contents(tmp_path) == contents(ROOT / "contracts")
