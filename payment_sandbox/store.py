"""The sandbox's store, in SQLite: payments, refunds, and webhooks with their deliveries."""

import json
import secrets
import sqlite3
import time
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from payment_sandbox.methods import METHODS, Status

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS payment (
    key TEXT PRIMARY KEY, id TEXT UNIQUE NOT NULL, method TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL, webhook_url TEXT NOT NULL, status TEXT NOT NULL, failure_code TEXT NOT NULL DEFAULT '',
    action_token TEXT UNIQUE, settles_at REAL, refund_failures INTEGER NOT NULL, created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS payment_to_settle ON payment (settles_at) WHERE settles_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS refund (
    key TEXT PRIMARY KEY, id TEXT UNIQUE NOT NULL, payment_key TEXT NOT NULL REFERENCES payment (key),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), status TEXT NOT NULL, failure_code TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS refund_of_payment ON refund (payment_key);
CREATE TABLE IF NOT EXISTS webhook (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, body TEXT NOT NULL, due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, heard_at REAL
);
CREATE INDEX IF NOT EXISTS webhook_due ON webhook (due_at) WHERE heard_at IS NULL;
"""


class KeyReused(Exception):
    """The idempotency key was used before with another request."""


class Refused(Exception):
    """The request cannot be carried out. The argument is a stable code."""


def public_fields(payment: sqlite3.Row) -> dict[str, Any]:
    """Return the fields of a payment that answers and webhooks show."""
    return {
        "id": payment["id"],
        "key": payment["key"],
        "status": payment["status"],
        "amount": payment["amount_minor"],
        "currency": payment["currency"],
        "failure_code": payment["failure_code"],
    }


class Store:
    """The payments, refunds and webhooks. Each method is one transaction. Use it from one thread only."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;" + _SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # ------------------------------------------------------------------ payments
    def pay(self, *, key: str, method: str, amount_minor: int, currency: str, webhook_url: str) -> sqlite3.Row:
        """Return the payment with `key`. Create it if it does not exist. Raises KeyReused."""
        with self._transaction():
            if known := self.payment(key):
                if (known["method"], known["amount_minor"], known["currency"]) != (method, amount_minor, currency):
                    raise KeyReused
                return known
            rule, now = METHODS[method], time.time()
            status = Status.REQUIRES_ACTION if rule.needs_action else Status.PROCESSING
            self._db.execute(
                "INSERT INTO payment (key, id, method, amount_minor, currency, webhook_url, status, action_token,"
                " settles_at,"
                " refund_failures, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    key, f"pay_{uuid4().hex}", method, amount_minor, currency, webhook_url, status,
                    secrets.token_urlsafe(24) if rule.needs_action else None,
                    now + rule.settles_after if rule.settles_after else None, rule.refund_failures, now,
                ],
            )  # fmt: skip
            if not (rule.needs_action or rule.settles_after):
                self._finish(key, outcome=rule.outcome, failure_code=rule.failure_code, notify=rule.answers)
            return self._required(self.payment(key))

    def payment(self, key: str) -> sqlite3.Row | None:
        """Return the payment with `key`, None if there is none."""
        return self._fetch("SELECT * FROM payment WHERE key = ?", key)

    def awaiting_action(self, token: str) -> sqlite3.Row | None:
        """Return the payment whose page has `token`, also after the decision."""
        return self._fetch("SELECT * FROM payment WHERE action_token = ?", token)

    def decide(self, key: str, *, outcome: Status, failure_code: str = "") -> sqlite3.Row:
        """Give the payment its final outcome unless it already has one, and return it."""
        with self._transaction():
            if self._required(self.payment(key))["status"] in (Status.PROCESSING, Status.REQUIRES_ACTION):
                self._finish(key, outcome=outcome, failure_code=failure_code)
            return self._required(self.payment(key))

    def finish_due_payments(self) -> None:
        """Give the slow payments that are due their final outcome."""
        with self._transaction():
            for row in self._db.execute("SELECT * FROM payment WHERE settles_at <= ?", [time.time()]).fetchall():
                rule = METHODS[row["method"]]
                self._finish(row["key"], outcome=rule.outcome, failure_code=rule.failure_code)

    def _finish(self, key: str, *, outcome: Status, failure_code: str, notify: bool = True) -> None:
        self._db.execute(
            "UPDATE payment SET status = ?, failure_code = ?, settles_at = NULL WHERE key = ?",
            [outcome, failure_code, key],
        )
        if notify:
            self._queue_webhook(self._required(self.payment(key)))

    # ------------------------------------------------------------------ refunds
    def refund(self, *, key: str, payment_key: str, amount_minor: int) -> sqlite3.Row:
        """Return the refund with `key`. Carry it out unless it has succeeded before; try a failed one again.

        Raises KeyReused; Refused("payment_unknown"), Refused("payment_not_succeeded"),
        Refused("refund_exceeds_payment").
        """
        with self._transaction():
            known = self.find_refund(key)
            if known and (known["payment_key"], known["amount_minor"]) != (payment_key, amount_minor):
                raise KeyReused
            if known and known["status"] == Status.SUCCEEDED:
                return known
            payment = self.payment(payment_key)
            if payment is None:
                raise Refused("payment_unknown")
            if payment["status"] != Status.SUCCEEDED:
                raise Refused("payment_not_succeeded")
            if self.refunded(payment_key) + amount_minor > payment["amount_minor"]:
                raise Refused("refund_exceeds_payment")
            fails = payment["refund_failures"] > 0
            status, failure_code = (Status.FAILED, "refund_declined") if fails else (Status.SUCCEEDED, "")
            if fails:
                self._db.execute(
                    "UPDATE payment SET refund_failures = refund_failures - 1 WHERE key = ?", [payment_key]
                )
            self._db.execute(
                "INSERT INTO refund (key, id, payment_key, amount_minor, status, failure_code, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET status = excluded.status, failure_code = excluded.failure_code",
                [key, f"ref_{uuid4().hex}", payment_key, amount_minor, status, failure_code, time.time()],
            )
            return self._required(self.find_refund(key))

    def find_refund(self, key: str) -> sqlite3.Row | None:
        """Return the refund with `key`, with its payment's currency. None if there is none."""
        return self._fetch(
            "SELECT refund.*, payment.currency FROM refund JOIN payment ON payment.key = payment_key"
            " WHERE refund.key = ?",
            key,
        )

    def refunded(self, payment_key: str) -> int:
        """Return the sum of a payment's successful refunds, in minor units."""
        row = self._fetch(
            "SELECT coalesce(sum(amount_minor), 0) AS sum FROM refund WHERE payment_key = ? AND status = 'SUCCEEDED'",
            payment_key,
        )
        return int(self._required(row)["sum"])

    # ------------------------------------------------------------------ webhooks
    def _queue_webhook(self, payment: sqlite3.Row) -> None:
        event_id = f"evt_{uuid4().hex}"
        event = {
            "id": event_id,
            "type": f"payment.{payment['status'].lower()}",
            "created": int(time.time()),
            "payment": public_fields(payment),
        }
        self._db.execute(
            "INSERT INTO webhook (id, url, body, due_at) VALUES (?, ?, ?, ?)",
            [event_id, payment["webhook_url"], json.dumps(event), time.time()],
        )

    def due_webhooks(self) -> list[sqlite3.Row]:
        """Return the webhooks to send now, oldest first."""
        return self._db.execute(
            "SELECT * FROM webhook WHERE heard_at IS NULL AND due_at <= ? ORDER BY due_at LIMIT 100", [time.time()]
        ).fetchall()

    def mark_delivered(self, event_id: str) -> None:
        """Record that a webhook was answered 2xx."""
        self._db.execute(
            "UPDATE webhook SET heard_at = ?, attempts = attempts + 1 WHERE id = ?", [time.time(), event_id]
        )

    def postpone(self, event_id: str, *, seconds: float) -> None:
        """Record a failed delivery, and send the webhook again after `seconds`."""
        self._db.execute(
            "UPDATE webhook SET due_at = ?, attempts = attempts + 1 WHERE id = ?", [time.time() + seconds, event_id]
        )

    def next_due(self) -> float | None:
        """Return the seconds until a payment or webhook is due: 0 or less for now, None if nothing is waiting."""
        row = self._fetch(
            "SELECT min(at) AS at FROM (SELECT min(settles_at) AS at FROM payment WHERE settles_at IS NOT NULL"
            " UNION ALL SELECT min(due_at) FROM webhook WHERE heard_at IS NULL)"
        )
        due = self._required(row)["at"]
        return None if due is None else float(due) - time.time()

    # ------------------------------------------------------------------ SQLite
    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)

    def _fetch(self, query: str, *parameters: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(query, parameters).fetchone()
        return row

    @staticmethod
    def _required(row: sqlite3.Row | None) -> sqlite3.Row:
        if row is None:
            raise LookupError("the row is not in the store")
        return row


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
