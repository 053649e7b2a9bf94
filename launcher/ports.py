"""The port plan: one block of a hundred ports, shifted by PORT_OFFSET. Also finds the process that uses a port."""

import socket
from collections.abc import Mapping
from typing import Final

import psutil

HTTP: Final[Mapping[str, int]] = {
    "gateway": 8000,
    "users": 8001,
    "destinations": 8002,
    "bookings": 8003,
    "notifications": 8004,
}
GRPC: Final[Mapping[str, int]] = {"users": 8011, "destinations": 8012, "bookings": 8013, "notifications": 8014}
SANDBOX: Final = 8020
SMTP: Final = 8025
POSTGRES: Final = 8032
VALKEY: Final = 8079
KAFKA: Final = 8092
KAFKA_CONTROLLER: Final = 8093

HIGHEST_OFFSET: Final = 57_000  # 8093 + 57,000 is still a port


def listening(port: int) -> bool:
    """Return whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free(port: int) -> bool:
    """Return whether a server can bind this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def holder(port: int) -> psutil.Process | None:
    """Return the process that listens on `port`, or None if this user may not see it."""
    try:
        connections = psutil.net_connections("inet")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                return psutil.Process(connection.pid)
            except psutil.NoSuchProcess:
                return None
    return None


def describe_holder(port: int) -> str:
    """Return who uses `port`: `pid 123 (python -m http.server 8000)`, or how to find out."""
    process = holder(port)
    if process is None:
        return "a process of another user (to see it, type as root: ss -ltnp)"
    try:
        command = " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        command = "?"
    shown = command if len(command) <= 100 else command[:97] + "..."
    return f"pid {process.pid} ({shown})"
