"""What a benchmark runs on: its own migrated PostgreSQL, as durable as in production, with departures to book.

Everything is in a temporary folder, which is deleted when the benchmark ends.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil
import psycopg

from launcher.infrastructure import postgres
from launcher.platform import Platform
from launcher.vault import Vault
from shared.auth import testing as keys

ROOT: Final = Path(__file__).resolve().parent.parent
CONNECTIONS: Final = 60
DEPARTURES: Final = 1_000
# Ids are numbers written as UUIDs, so that pgbench can count through them. Quotes begin at 1, and the others here:
DEPARTURE: Final = 10**9
TRAVELLER: Final = 2 * 10**9
BOOKING: Final = 3 * 10**9

_DEPARTURES: Final = f"""
INSERT INTO bookings_seatinventory (departure_id, version, capacity, held, sold, closed, cancelled, starts_at, sequence, dirty)
SELECT lpad(to_hex({DEPARTURE} + n), 32, '0')::uuid, 1, 100000000, 0, 0, false, false, now() + interval '90 days', 1, false
FROM generate_series(0, {DEPARTURES}) n"""
_QUOTES: Final = f"""
INSERT INTO bookings_quote (id, traveller_id, departure_id, adults, children, currency, total_minor, lines, policy, title_en, title_fr,
    starts_at, ends_at, time_zone, expires_at, created_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex({TRAVELLER} + n), 32, '0')::uuid,
    lpad(to_hex({DEPARTURE} + CASE WHEN %(hot)s THEN 0 ELSE 1 + n %% {DEPARTURES} END), 32, '0')::uuid, 2, 0, 'EUR', 100000,
    %(lines)s::jsonb, %(policy)s::jsonb, 'Kyoto in autumn', 'Kyoto en automne', now() + interval '90 days', now() + interval '95 days',
    'Asia/Tokyo', now() + interval '1 day', now()
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n"""
_PRICE_LINE: Final = {
    "label": {"en": "Adult", "fr": "Adulte"},
    "quantity": 2,
    "unit_price": 50_000,
    "total": 100_000,
    "tax": 16_667,
}
_POLICY: Final = [{"days_before": 30, "refund_percent": 100}, {"days_before": 7, "refund_percent": 50}]


def as_uuid(number: int) -> str:
    """Return the UUID with which the benchmarks write a number."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass(slots=True)
class Stage:
    """A running database, the environment of its service, and the number of the next unused quote."""

    environment: dict[str, str]
    dsn: dict[str, Any]
    server: psutil.Process
    binaries: Path
    folder: Path
    next_quote: int = 1

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open an autocommit connection."""
        return psycopg.connect(**self.dsn, autocommit=True)

    def quotes(self, count: int, *, hot: bool) -> int:
        """Make `count` quotes, all of one departure (`hot`) or of all departures in turn.

        Return the number of the first.
        """
        first, self.next_quote = self.next_quote, self.next_quote + count
        values = {
            "hot": hot, "first": first, "last": first + count - 1, "lines": json.dumps([_PRICE_LINE]), "policy": json.dumps(_POLICY),
        }  # fmt: skip
        with self.connect() as connection:
            connection.execute(_QUOTES, values)
            connection.execute("VACUUM (ANALYZE) bookings_quote")
        return first

    def cards(self, first: int, count: int) -> Path:
        """Write the file for a client process: a credential, and quotes with the tokens of their travellers."""
        quotes = [(n, keys.mint_access_token(UUID(as_uuid(TRAVELLER + n)))) for n in range(first, first + count)]
        path = self.folder / f"cards-{first}.json"
        path.write_text(json.dumps({"credential": keys.credential_of("gateway", "bookings"), "quotes": quotes}))
        return path

    def server_seconds(self) -> float:
        """Return the CPU time that the database's processes have used so far."""
        seconds = 0.0
        for process in [self.server, *self.server.children(recursive=True)]:
            try:
                seconds += sum(process.cpu_times()[:4])  # its own, and that of its children that have ended
            except psutil.NoSuchProcess:
                continue
        return seconds


@contextmanager
def stage(service: str = "bookings") -> Iterator[Stage]:
    """Yield a running stage for `service`. Stop and delete everything afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="travel-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        platform = Platform(var=folder, offset=_free_offset())
        platform.make_folders()
        vault = Vault(platform)
        postgres.prepare(platform, vault)
        stack.callback(postgres.remove, platform)
        server_home = postgres.locate(platform)
        log = stack.enter_context((folder / "postgres.log").open("ab"))
        server = subprocess.Popen(
            postgres.command(platform, connections=CONNECTIONS), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, **{**server_home.as_user(), "cwd": str(server_home.data)},
        )  # fmt: skip
        stack.callback(_end, server, signal.SIGINT)
        _wait_for(lambda: postgres.make_databases(platform, vault))
        url = postgres.url(platform, vault, service)
        environment = {**_environment(folder), f"{service.upper()}_DATABASE_URL": url}
        migrate = [sys.executable, f"{service}_service/manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
        dsn = psycopg.conninfo.conninfo_to_dict(url)
        ready = Stage(environment, dsn, psutil.Process(server.pid), server_home.binaries, folder)
        if service == "bookings":
            with ready.connect() as connection:
                connection.execute(_DEPARTURES)
        yield ready


@contextmanager
def process(
    command: Sequence[str], environment: dict[str, str], *, ready: int | None = None
) -> Iterator[psutil.Process]:
    """Run a program during the `with` block, which starts once the port answers."""
    null = subprocess.DEVNULL
    with (Path(environment["RUN_DIR"]) / "processes.log").open("ab") as log:
        started = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=null, stdout=log, stderr=log, start_new_session=True
        )
    try:
        if ready is not None:
            _wait_for(lambda: socket.create_connection(("127.0.0.1", ready), 1).close())
        yield psutil.Process(started.pid)
    finally:
        _end(started, signal.SIGTERM)


def free_port() -> int:
    """Return a port that no program uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _environment(folder: Path) -> dict[str, str]:
    keys.install(folder)
    own = {
        "DEBUG": "false", "ALLOWED_HOSTS": "localhost,127.0.0.1", "SECRET_KEY": "b" * 60,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "REDIS_URL": "redis://127.0.0.1:9/0", "JWKS_URL": "http://127.0.0.1:9/",
        "PAYMENT_SANDBOX_URL": "http://127.0.0.1:9", "PAYMENT_WEBHOOK_SECRET": "s" * 40, "PAYMENT_WEBHOOK_URL": "http://127.0.0.1:9/",
        "PUBLIC_URL": "http://localhost:8000", "PYTHONPATH": str(ROOT), "RUN_DIR": str(folder), "LOG_FORMAT": "json",
        "HOLD_LIMIT_BOOKINGS": "5", "EMAIL_URL": "smtp://127.0.0.1:9",
        "SIGNING_KEYS_SECRET": "k" * 40, "REFRESH_TOKEN_SECRET": "r" * 40,
    }  # fmt: skip
    return {**os.environ, **own}


def _free_offset() -> int:
    from launcher.commands.test import free_block

    return free_block()


def _wait_for(act: Any, *, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            act()
        except (OSError, psycopg.Error):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _end(started: subprocess.Popen[bytes], with_signal: int) -> None:
    started.send_signal(with_signal)
    try:
        started.wait(15)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
