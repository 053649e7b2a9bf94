"""Whether a process is ready. Each probe asks the process over its own interface; no answer in time means no."""

import http.client
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psycopg

from launcher import ports
from launcher.infrastructure import kafka
from launcher.platform import Platform
from launcher.processes import Health, Process

TIMEOUT: Final = 3.0  # seconds for an answer
HEARTBEAT_SECONDS: Final = 30.0


def ready(process: Process, platform: Platform, environment: Mapping[str, str]) -> bool:
    """Return whether `process` says it is ready. `environment` holds the infrastructure's URLs."""
    return PROBES[process.health](process, platform, environment)


def _http(process: Process, platform: Platform, _: Mapping[str, str]) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port(process.port or 0), timeout=TIMEOUT)
    try:
        connection.request("GET", "/health/ready", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _grpc(process: Process, platform: Platform, _: Mapping[str, str]) -> bool:
    port = platform.port(process.port or 0)
    if not ports.listening(port):  # saves the import and a channel while the server starts
        return False
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def beat_seconds(process: Process, platform: Platform) -> float | None:
    """Return the age of the heartbeat of `process`, or None if it writes none."""
    if process.health is not Health.HEARTBEAT:
        return None
    try:
        return max(0.0, time.time() - _heartbeat_file(process, platform).stat().st_mtime)
    except OSError:
        return None


def _heartbeat_file(process: Process, platform: Platform) -> Path:
    return platform.run / f"{process.name}.heartbeat"


def _heartbeat(process: Process, platform: Platform, _: Mapping[str, str]) -> bool:
    path = _heartbeat_file(process, platform)
    try:
        return time.time() - path.stat().st_mtime < HEARTBEAT_SECONDS and path.read_text().startswith("ready")
    except OSError:
        return False


def _postgres(process: Process, platform: Platform, environment: Mapping[str, str]) -> bool:
    # A refused sign-in counts as ready too: on the first start the roles do not exist yet.
    try:
        psycopg.connect(environment["USERS_DATABASE_URL"], connect_timeout=int(TIMEOUT)).close()
    except psycopg.OperationalError as error:
        return "password authentication failed" in str(error) or "does not exist" in str(error)
    return True


def _valkey(process: Process, platform: Platform, environment: Mapping[str, str]) -> bool:
    import redis

    client = redis.Redis.from_url(environment["REDIS_URL"], socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _kafka(process: Process, platform: Platform, environment: Mapping[str, str]) -> bool:
    return ports.listening(platform.port(ports.KAFKA)) and kafka.ready(environment)


def _port(process: Process, platform: Platform, _: Mapping[str, str]) -> bool:
    return ports.listening(platform.port(process.port or 0))


PROBES: Final[Mapping[Health, Callable[[Process, Platform, Mapping[str, str]], bool]]] = {
    Health.HTTP: _http,
    Health.GRPC: _grpc,
    Health.HEARTBEAT: _heartbeat,
    Health.POSTGRES: _postgres,
    Health.VALKEY: _valkey,
    Health.KAFKA: _kafka,
    Health.PORT: _port,
}
