"""The payment provider seen from outside: its own database, which our code never writes, and its webhooks."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from django.db.models import Sum

from bookings_service.payments.models import Payment, Refund

ReceivedWebhook = tuple[dict[str, str], bytes]  # headers and body of a webhook


@dataclass(frozen=True, slots=True)
class ProviderRecords:
    """What the sandbox has in its database. Amounts are in minor units."""

    store: Path

    def charged(self) -> dict[str, int]:
        """Return the charged amount by payment key."""
        return self._sums("SELECT key, amount_minor FROM payment WHERE status = 'SUCCEEDED'")

    def all_keys(self) -> set[str]:
        """Return the keys of all payments that were ever requested, declined ones too."""
        return set(self._sums("SELECT key, amount_minor FROM payment"))

    def refunded(self) -> dict[str, int]:
        """Return the refunded amount by payment key."""
        return self._sums(
            "SELECT payment_key, sum(amount_minor) FROM refund WHERE status = 'SUCCEEDED' GROUP BY payment_key"
        )

    def settle_all(self) -> None:
        """Settle the slow payments now, instead of after five seconds."""
        with closing(sqlite3.connect(self.store)) as database, database:
            database.execute("UPDATE payment SET status = 'SUCCEEDED', settles_at = NULL WHERE settles_at IS NOT NULL")

    def differences(self) -> list[str]:
        """Return each of our payments for which the provider has another charged or refunded amount."""
        charged, refunded = self.charged(), self.refunded()
        paid_out = dict(
            Refund.objects.filter(status="SUCCEEDED").values_list("payment_id").annotate(Sum("amount_minor")).order_by()
        )
        differences = []
        for payment in Payment.objects.all():
            key = str(payment.id)
            theirs = (charged.get(key, 0), refunded.get(key, 0))
            ours = (payment.amount_minor if payment.status == "SUCCEEDED" else 0, paid_out.get(payment.id, 0))
            if theirs != ours:
                differences.append(
                    f"payment {key} {payment.method} {payment.status}: the provider has {theirs}, we have {ours}"
                )
        return differences

    def _sums(self, query: str) -> dict[str, int]:
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as database:
            return dict(database.execute(query).fetchall())


@dataclass
class WebhookReceiver:
    """Acknowledges and keeps every webhook. The test decides when, how often and in which order to deliver it."""

    received: list[ReceivedWebhook] = field(default_factory=list)

    def payment_keys(self) -> set[str]:
        """Return the keys of the payments of the received webhooks."""
        return {str(json.loads(body)["payment"]["key"]) for _, body in self.received}

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Listen on a free port and yield the address."""
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 200  # the sandbox sends many webhooks at once

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
