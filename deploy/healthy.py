"""A container's health check: `python deploy/healthy.py http|grpc|heartbeat|port TARGET`. Exit code 0 means ready.

TARGET is a port of this container; for `heartbeat` it is the name of the process.
"""

import socket
import sys
from http.client import HTTPConnection

SECONDS = 2.0


def http(port: str) -> bool:
    """Return whether GET /health/ready answers 200."""
    connection = HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    connection.request("GET", "/health/ready", headers={"Host": "localhost"})
    return connection.getresponse().status == 200


def grpc(port: str) -> bool:
    """Return whether the gRPC server answers SERVING."""
    from grpc import insecure_channel
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    with insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = HealthStub(channel).Check(HealthCheckRequest(), timeout=SECONDS)
        return bool(answer.status == HealthCheckResponse.SERVING)


def heartbeat(name: str) -> bool:
    """Return whether the process's heartbeat file is recent and says ready."""
    from shared.heartbeat import is_ready

    return is_ready(name)


def port(number: str) -> bool:
    """Return whether something accepts connections on the port."""
    with socket.create_connection(("127.0.0.1", int(number)), timeout=SECONDS):
        return True


CHECKS = {"http": http, "grpc": grpc, "heartbeat": heartbeat, "port": port}

if __name__ == "__main__":
    try:
        ready = CHECKS[sys.argv[1]](sys.argv[2])
    except Exception as error:  # noqa: BLE001 - any failure means not ready; Docker shows the message
        sys.exit(f"{type(error).__name__}: {error}")
    sys.exit(0 if ready else "not ready")
