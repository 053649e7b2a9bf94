"""Failpoints: places in the code where a process kills or stops itself, for tests of crashes. Only with DEBUG.

A process whose FAILPOINT names such a place sends itself SIGKILL there, once. With FAILPOINT_ACTION=stop it sends
itself SIGSTOP instead, and goes on after a SIGCONT. It writes the file FAILPOINT_DIR/<name> first. While the file
exists the failpoint does nothing, so that the restarted process gets past it.
"""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# Every failpoint, and what has been done when it is reached.
FAILPOINTS: Final[Mapping[str, str]] = {
    "booking.before_commit": "seats held and the booking inserted, nothing committed",
    "booking.after_commit": "the booking committed, the client not answered",
    "pay.recorded": "the payment and its key committed, the provider not asked",
    "pay.answered": "the provider answered, nothing of it recorded",
    "settle.before_commit": "payment, ledger, booking and seats written, nothing committed",
    "webhook.before_commit": "the webhook and its effect written, nothing committed",
    "webhook.after_commit": "the webhook and its effect committed, the provider not answered",
    "cancel.before_commit": "booking cancelled and refund asked for, nothing committed",
    "cancel.after_commit": "booking cancelled and refund asked for, the client not answered",
    "refund.leased": "the refund leased, the provider not asked",
    "refund.answered": "the provider gave the money back, nothing of it recorded",
    "refund.before_commit": "refund and ledger written, nothing committed",
    "reconcile.leased": "the payment leased, the provider not asked after it",
    "reconcile.answered": "the provider said what became of the payment, nothing of it recorded",
    "expiry.before_commit": "the hold ended and its seats given back, nothing committed",
    "clock.between_jobs": "one job of the clock done, the others not",
    "import.before_commit": "a country of an import written, nothing of it committed",
    "import.country_merged": "a country of an import committed, the others not",
    "relay.delivered": "events delivered to Kafka, not marked",
    "delivery.claimed": "the notification claimed, nothing else done",
    "mail.offered": "the mail server ready for the content, nothing of it sent",
    "mail.accepted": "the mail server accepted the mail, nothing of it recorded",
    "sms.written": "the SMS written, the call of the provider not recorded",
    "sms.handed": "the call of the SMS provider recorded, the provider not called",
    "sms.accepted": "the SMS provider accepted the SMS, nothing of it recorded",
    "sandbox.charged": "the traveller charged, the service not answered",
    "sandbox.webhook_due": "a webhook noted, not sent",
    "sandbox.webhook_sent": "a webhook sent and heard, not noted as heard",
    "sandbox.refunded": "the money refunded, the service not answered",
}


_SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def failpoint(name: str) -> None:
    """Kill or stop this process here if FAILPOINT is `name` and the file of `name` does not exist yet."""
    if name == _ARMED:
        _act(Path(os.environ["FAILPOINT_DIR"]), name)


def _armed() -> str:
    name = os.environ.get("FAILPOINT", "")
    is_known = (
        name in FAILPOINTS and "FAILPOINT_DIR" in os.environ and os.environ.get("FAILPOINT_ACTION", "kill") in _SIGNALS
    )
    if name and not (is_known and os.environ.get("DEBUG", "").lower() in ("true", "on", "yes", "1")):
        sys.stderr.write(
            "FAILPOINT is for tests of crashes: a name of shared/failpoints.py, FAILPOINT_DIR and DEBUG go with it\n"
        )
        raise SystemExit(78)  # EX_CONFIG
    return name


def _act(folder: Path, name: str) -> None:
    try:
        marker = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_SYNC, 0o644)
    except FileExistsError:
        return
    os.write(marker, f"{os.environ.get('TRAVEL_PROCESS', '')} {os.getpid()}\n".encode())
    # To this thread: a signal to the process may reach another thread first, and this thread would go on for a moment.
    signal.pthread_kill(threading.get_ident(), _SIGNALS[os.environ.get("FAILPOINT_ACTION", "kill")])


_ARMED: Final = _armed()
