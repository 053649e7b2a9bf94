"""The background loop that sends signed webhooks, each until it is answered 2xx."""

import asyncio
import hashlib
import hmac
import logging
import sqlite3
import time
from typing import Final

import httpx

from payment_sandbox.config import Config
from payment_sandbox.store import Store
from shared.failpoints import failpoint

# Seconds to wait after each failed attempt. The last value repeats for ever.
BACK_OFF: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
TIMEOUT_SECONDS: Final = 5.0
log = logging.getLogger("payment_sandbox")  # not structlog: the image of the stand-ins does not have it


def signature(body: bytes, *, secret: str, at: int) -> str:
    """Return the value of X-Payment-Signature: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class WebhookSender:
    """Finishes slow payments that are due and delivers webhooks, until cancelled. Call `wake()` after each write."""

    def __init__(self, *, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Make the loop look at the store now."""
        self._woken.set()

    async def run(self) -> None:
        """Run until cancelled."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client:
            while True:
                self._woken.clear()
                self._store.finish_due_payments()
                due = self._store.due_webhooks()
                await asyncio.gather(*(self._deliver(client, row) for row in due))
                wait = self._store.next_due()
                try:
                    await asyncio.wait_for(self._woken.wait(), timeout=None if wait is None else max(0.0, wait))
                except TimeoutError:
                    continue

    async def _deliver(self, client: httpx.AsyncClient, webhook: sqlite3.Row) -> None:
        body, attempts = webhook["body"].encode(), webhook["attempts"]
        headers = {
            "Content-Type": "application/json",
            "X-Payment-Signature": signature(body, secret=self._config.webhook_secret, at=int(time.time())),
        }
        failpoint("sandbox.webhook_due")
        try:
            answer = await client.post(webhook["url"] or self._config.webhook_url, content=body, headers=headers)
            delivered, result = answer.is_success, str(answer.status_code)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            delivered, result = False, type(error).__name__
        if delivered:
            failpoint("sandbox.webhook_sent")
            self._store.mark_delivered(webhook["id"])
            return
        seconds = BACK_OFF[min(attempts, len(BACK_OFF) - 1)]
        log.warning(
            "webhook_failed webhook=%s result=%s attempt=%d retry_in=%gs", webhook["id"], result, attempts + 1, seconds
        )
        self._store.postpone(webhook["id"], seconds=seconds)
