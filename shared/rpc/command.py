"""The base of every service's `run_grpc` command. A subclass only says which servicers to add."""

import os
from typing import Any

import grpc
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared.account_feed import account_feed
from shared.rpc.hosting import Host, run


class RunGrpc(BaseCommand):
    """Serve the service's RPCs on GRPC_HOST:GRPC_PORT until SIGTERM. A subclass adds them in `add_to_server`."""

    help = "Serve gRPC until SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept a port in place of GRPC_PORT."""
        parser.add_argument("--port", type=int, default=None, help="instead of GRPC_PORT")

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Add the service's servicers, as the generated `add_…Servicer_to_server` does."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        """Bind and serve. Raises CommandError, in one line, if the port is missing or taken."""
        port = options["port"] or _port()
        address = f"{os.environ.get('GRPC_HOST', '127.0.0.1')}:{port}"
        run(lambda: self._bound(address), started=lambda: self.stdout.write(f"gRPC on {address}"))

    def _bound(self, address: str) -> Host:
        try:
            host = Host(add_services=self.add_to_server, address=address)
        except RuntimeError as error:
            raise CommandError(f"{address} cannot be bound: another process may be listening there") from error
        account_feed().start()
        return host


def _port() -> int:
    text = os.environ.get("GRPC_PORT", "")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CommandError("GRPC_PORT is not set to a port number")
    return int(text)
