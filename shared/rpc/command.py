"""The base of every service's `run_grpc` command. A subclass only says which servicers to add."""

import os
from functools import partial
from typing import Any

import grpc
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared.account_feed import account_feed
from shared.rpc.hosting import Host, run
from shared.rpc.processes import ProcessEnded, check_free, serve_in
from shared.settings.env import env


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
        """Bind and serve in RPC_PROCESSES processes.

        Raises CommandError, in one line, if the port is missing or taken, or if one of several processes ended.
        """
        host, port = os.environ.get("GRPC_HOST", "127.0.0.1"), options["port"] or _port()
        processes = env.whole_number("RPC_PROCESSES", default=1)
        if processes <= 1:
            self._serve(f"{host}:{port}", share_port=False)
            return
        try:
            check_free(host, port)
            serve_in(processes, lambda: self._serve(f"{host}:{port}", share_port=True))
        except (OSError, ProcessEnded) as error:
            raise CommandError(str(error)) from error

    def _serve(self, address: str, *, share_port: bool) -> None:
        started = partial(self.stdout.write, f"gRPC on {address}")
        run(lambda: self._bound(address, share_port=share_port), started=started)

    def _bound(self, address: str, *, share_port: bool) -> Host:
        try:
            host = Host(add_services=self.add_to_server, address=address, share_port=share_port)
        except RuntimeError as error:
            raise CommandError(f"{address} cannot be bound: another process may be listening there") from error
        account_feed().start()
        return host


def _port() -> int:
    text = os.environ.get("GRPC_PORT", "")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CommandError("GRPC_PORT is not set to a port number")
    return int(text)
