"""The one table of the platform's processes. `up` and `status` use it; tests compare compose.yaml and the docs with it.

The first word of a command is `python` (of this environment) or a program that launcher/infrastructure/ knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from launcher import ports


class Kind(StrEnum):
    """The role of a process. `down` stops the roles in STOP_ORDER."""

    INFRASTRUCTURE = "infrastructure"
    WEB = "web"
    RPC = "rpc"
    WORKER = "worker"
    RELAY = "relay"


class Health(StrEnum):
    """How the launcher checks whether a process is ready."""

    HTTP = "http"  # GET /health/ready on its port
    GRPC = "grpc"  # grpc.health.v1 on its port
    HEARTBEAT = "heartbeat"  # RUN_DIR/<name>.heartbeat says `ready` and is younger than 30 s
    POSTGRES = "postgres"
    VALKEY = "valkey"
    KAFKA = "kafka"
    PORT = "port"  # accepts connections


@dataclass(frozen=True, slots=True)
class Process:
    """One process. It opens at most `connections` to its database, and may take `grace` seconds to stop."""

    name: str
    kind: Kind
    command: tuple[str, ...]
    health: Health
    needs: tuple[str, ...] = ()
    port: int | None = None
    connections: int = 0
    grace: float = 2.0

    @property
    def service(self) -> str:
        """The service that it belongs to (`bookings`), or its own name."""
        return self.name.split(".")[0]

    @property
    def is_service(self) -> bool:
        """Whether it runs code of one of the five services."""
        return "." in self.name

    @property
    def url(self) -> str | None:
        """The pattern of its URL, with {port}. None for a process that nobody calls."""
        return URLS.get(self.health) if self.port else None


URLS: Final[Mapping[Health, str]] = {
    Health.HTTP: "http://localhost:{port}/",
    Health.GRPC: "grpc://127.0.0.1:{port}",
    Health.POSTGRES: "postgres://127.0.0.1:{port}",
    Health.VALKEY: "redis://127.0.0.1:{port}",
    Health.KAFKA: "kafka://127.0.0.1:{port}",
    Health.PORT: "tcp://127.0.0.1:{port}",
}
STOP_ORDER: Final = (Kind.WEB, Kind.RPC, Kind.WORKER, Kind.RELAY, Kind.INFRASTRUCTURE)
POOL: Final = 8  # connections of a threaded server's pool
HASHING: Final = 5  # and those for sign-ins: HASHES_AT_ONCE and HASHES_WAITING
CONSUMING: Final = 5  # CONSUMER_THREADS, and one for retries of dead letters


def _web(service: str) -> Process:
    return Process(
        name=f"{service}.web",
        kind=Kind.WEB,
        command=(
            *("python", "-m", "gunicorn", "-c", "shared/http/gunicorn_conf.py"),
            f"{service}_service.config.wsgi:application",
        ),
        health=Health.HTTP,
        needs=("postgres", "valkey"),
        port=ports.HTTP[service],
        connections=POOL,
    )


def _rpc(service: str, *, more_connections: int = 0) -> Process:
    return Process(
        name=f"{service}.rpc",
        kind=Kind.RPC,
        command=("python", f"{service}_service/manage.py", "run_grpc"),
        health=Health.GRPC,
        needs=("postgres", "valkey"),
        port=ports.GRPC[service],
        connections=POOL + more_connections + 2,  # and one connection that LISTENs for streams
    )


def _loop(service: str, name: str, command: str, *, kind: Kind, connections: int, kafka: bool = True) -> Process:
    return Process(
        name=f"{service}.{name}",
        kind=kind,
        command=("python", f"{service}_service/manage.py", command),
        health=Health.HEARTBEAT,
        needs=("postgres", "kafka") if kafka else ("postgres",),
        connections=connections,
    )


def _relay(service: str) -> Process:
    return _loop(service, "relay", "run_outbox_relay", kind=Kind.RELAY, connections=3)


def _consumer(service: str) -> Process:
    return _loop(service, "consumer", "run_consumer", kind=Kind.WORKER, connections=CONSUMING)


_CELERY: Final = ("python", "-m", "celery", "-A", "notifications_service.config.celery")


def _celery_worker(name: str, *, queues: str, threads: int) -> Process:
    return Process(
        name=name,
        kind=Kind.WORKER,
        command=(
            *(
                *_CELERY,
                "worker",
                "--hostname",
                f"{name.removeprefix('notifications.')}@notifications",
                "--queues",
                queues,
            ),
            *("--pool", "threads", "--concurrency", str(threads), "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ),
        health=Health.HEARTBEAT,
        needs=("postgres", "valkey", "mail"),
        connections=threads + 2,
    )


TABLE: Final[tuple[Process, ...]] = (
    Process(
        name="postgres",
        kind=Kind.INFRASTRUCTURE,
        command=("postgres",),
        health=Health.POSTGRES,
        port=ports.POSTGRES,
        grace=3.0,
    ),
    Process(
        name="valkey", kind=Kind.INFRASTRUCTURE, command=("valkey-server",), health=Health.VALKEY, port=ports.VALKEY
    ),
    Process(
        name="kafka", kind=Kind.INFRASTRUCTURE, command=("java",), health=Health.KAFKA, port=ports.KAFKA, grace=6.0
    ),
    Process(
        name="mail",
        kind=Kind.INFRASTRUCTURE,
        command=("python", "-m", "launcher.infrastructure.mail"),
        health=Health.PORT,
        port=ports.SMTP,
    ),
    Process(
        name="sandbox",
        kind=Kind.INFRASTRUCTURE,
        command=("python", "-m", "payment_sandbox"),
        health=Health.PORT,
        port=ports.SANDBOX,
    ),
    _web("users"),
    _rpc("users", more_connections=HASHING),
    _relay("users"),
    _web("destinations"),
    _rpc("destinations"),
    _relay("destinations"),
    _consumer("destinations"),
    _web("bookings"),
    _rpc("bookings"),
    _relay("bookings"),
    _consumer("bookings"),
    _loop("bookings", "clock", "run_clock", kind=Kind.WORKER, connections=3, kafka=False),
    _web("notifications"),
    _rpc("notifications"),
    _relay("notifications"),
    _consumer("notifications"),
    _celery_worker(
        "notifications.urgent", queues="urgent", threads=2
    ),  # its threads are reserved: no mass mailing takes them
    _celery_worker("notifications.worker", queues="sms,documents,mail", threads=4),
    Process(
        name="notifications.beat",
        kind=Kind.WORKER,
        command=(*_CELERY, "beat", "--loglevel", "WARNING", "--schedule", "{run}/beat", "--pidfile="),
        health=Health.HEARTBEAT,
        needs=("valkey",),
        connections=1,
    ),
    Process(
        name="gateway.web",
        kind=Kind.WEB,
        command=(
            *("python", "-m", "uvicorn", "gateway_service.config.asgi:application", "--host", "127.0.0.1"),
            *("--port", "{port}", "--http", "gateway_service.gateway.transport.http_protocol:LimitedProtocol"),
            *("--ws", "websockets-sansio", "--no-access-log", "--no-server-header"),
            "--no-proxy-headers",  # shared.http.addresses reads X-Forwarded-For, and only from TRUSTED_PROXIES
            # Compression would keep 40 kB for every idle socket.
            *("--ws-per-message-deflate", "false", "--timeout-graceful-shutdown", "2"),
        ),
        health=Health.HTTP,
        needs=("valkey", "kafka"),
        port=ports.HTTP["gateway"],
    ),
)

BY_NAME: Final[Mapping[str, Process]] = {process.name: process for process in TABLE}
SERVICES: Final = ("users", "destinations", "bookings", "notifications", "gateway")
WITH_DATABASE: Final = tuple(service for service in SERVICES if service != "gateway")
SPARE_CONNECTIONS: Final = 20  # for psql, management commands and the launcher itself


COPIES: Final[Mapping[Kind, str]] = {Kind.WEB: "WEB_CONCURRENCY", Kind.RPC: "RPC_PROCESSES"}


def connections_needed(environment: Mapping[str, str]) -> int:
    """Return max_connections for the cluster: what the processes of the table may open, and SPARE_CONNECTIONS.

    `environment` says how many processes a web or gRPC process starts (COPIES).
    """

    def copies(process: Process) -> int:
        variable = environment.get(COPIES.get(process.kind, ""), "")
        return max(1, int(variable)) if variable.isdecimal() else 1

    return sum(process.connections * copies(process) for process in TABLE) + SPARE_CONNECTIONS


def package(service: str) -> str:
    """Return the name of the service's package: `users_service` for `users`."""
    return f"{service}_service"
