"""Eleven bugs, each the absence of one guard. The machine must find every one of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import pytest
from django.db import connection

from notifications_service.notifications.models import Notification
from notifications_service.notifications.services import attempts, delivery, first_attempts
from shared.db import clock_now
from shared.inbox import letters, receipts
from shared.inbox.consumer.assignment import Share
from shared.outbox import delivery as relay
from shared.outbox import rows
from shared.outbox.refusals import Fault
from shared.outbox.topic_queue import TopicQueue
from shared.text import DEFAULT_LOCALE

Plant = Callable[[pytest.MonkeyPatch], None]


def _marked_before_reports(patch: pytest.MonkeyPatch) -> None:
    send = relay.Delivery._send

    def marking(self: Any) -> None:
        send(self)
        rows.mark_delivered(self._connection, list(self._in_hand))

    patch.setattr(relay.Delivery, "_send", marking)


def _not_one_by_one(patch: pytest.MonkeyPatch) -> None:
    def add(self: Any, row: Any) -> None:
        self._behind.setdefault(row.key, type(self._ready)())
        self._ready.append(row)

    patch.setattr(TopicQueue, "add", add)


def _refused_and_passed_over(patch: pytest.MonkeyPatch) -> None:
    def pass_over(self: Any, row: Any, cause: str, behind: list[int]) -> None:
        rows.mark_delivered(self._connection, [row.id])
        self._in_hand.difference_update([row.id, *behind])

    patch.setattr(relay.Delivery, "_set_aside", pass_over)


def _nothing_waits_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rows, "_NOT_BEHIND_A_ROW_SET_ASIDE", " ORDER BY id LIMIT %(limit)s")


def _given_up_for_good(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(relay, "fault_of", lambda _: Fault.ROW)
    _refused_and_passed_over(patch)


def _offset_before_effect(patch: pytest.MonkeyPatch) -> None:
    def advance(self: Any) -> int | None:
        return self._begun[-1].record.offset + 1 if self._begun else None

    patch.setattr(Share, "advance", advance)


def _no_inbox(patch: pytest.MonkeyPatch) -> None:
    receive = receipts.receive

    def forgetful(*, consumer: str, event_ids: Sequence[str]) -> tuple[frozenset[str], datetime]:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM inbox_inboxmessage WHERE event_id = ANY(%s)", [list(event_ids)])
        return receive(consumer=consumer, event_ids=event_ids)

    patch.setattr(receipts, "receive", forgetful)


def _no_parking(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(letters, "is_blocked", lambda **_: False)


def _no_fencing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(attempts, "_current", lambda claimed: Notification.objects.filter(id=claimed.id))
    before, fence, after = first_attempts._END.partition(" AND status = 'SENDING' AND attempts = %(attempt)s")
    assert fence
    patch.setattr(first_attempts, "_END", before + after)


def _no_hand_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(delivery.attempts, "hand_over", lambda _: clock_now())


def _sent_before_accepted(patch: pytest.MonkeyPatch) -> None:
    send = delivery._send_mail

    def too_early(claimed: Any, *rest: Any) -> None:
        attempts.record_sent(claimed, DEFAULT_LOCALE)
        send(claimed, *rest)

    patch.setattr(delivery, "_send_mail", too_early)


BUGS: Final[dict[str, Plant]] = {
    "events marked before their reports": _marked_before_reports,
    "a key's events sent side by side": _not_one_by_one,
    "a refused event passed over": _refused_and_passed_over,
    "nothing waits behind an event set aside": _nothing_waits_behind,
    "an event given up after a lost report": _given_up_for_good,
    "offsets committed before the effect": _offset_before_effect,
    "no inbox": _no_inbox,
    "nothing parked behind a dead letter": _no_parking,
    "workers that are not fenced": _no_fencing,
    "SMS handed over without a note": _no_hand_over,
    "mails SENT before they are accepted": _sent_before_accepted,
}
