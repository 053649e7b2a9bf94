"""A container's health check, in its own image: `python deploy/healthy.py http|grpc|heartbeat|port WHAT`; exits with 0 for ready.

WHAT is a port of this container, for `heartbeat` the process's name.
"""

import os
import socket
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

SECONDS = 2.0
HEARTBEAT_SECONDS = 30.0


def http(port: str) -> bool:
    """Whether GET /health/ready answers 200."""
    connection = HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    connection.request("GET", "/health/ready", headers={"Host": "localhost"})
    return connection.getresponse().status == 200


def grpc(port: str) -> bool:
    """Whether the gRPC server says SERVING."""
    from grpc import insecure_channel
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    with insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = HealthStub(channel).Check(HealthCheckRequest(), timeout=SECONDS)
        return bool(answer.status == HealthCheckResponse.SERVING)


def heartbeat(name: str) -> bool:
    """Whether the process's heartbeat file is young and says ready."""
    file = Path(os.environ["RUN_DIR"]) / f"{name}.heartbeat"
    return time.time() - file.stat().st_mtime < HEARTBEAT_SECONDS and file.read_text().startswith("ready")


def port(number: str) -> bool:
    """Whether something listens."""
    with socket.create_connection(("127.0.0.1", int(number)), timeout=SECONDS):
        return True


CHECKS = {"http": http, "grpc": grpc, "heartbeat": heartbeat, "port": port}

if __name__ == "__main__":
    try:
        ready = CHECKS[sys.argv[1]](sys.argv[2])
    except Exception as error:  # noqa: BLE001 — whatever it is, the answer is no; the engine shows the line
        sys.exit(f"{type(error).__name__}: {error}")
    sys.exit(0 if ready else "not ready")
