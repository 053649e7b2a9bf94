"""What must be true of a world: after every step, and once it has come to rest."""

from collections import Counter
from typing import Any

from django.db.models import Count

from notifications_service.billing.models import Invoice, NumberSeries
from notifications_service.notifications.models import Notification
from notifications_service.tests.events.anything.world import BOOKING, World
from shared.events import topic_name
from shared.inbox.models import InboxMessage
from shared.outbox.models import OutboxEvent

SENT = "travel.notifications.notification.sent.v1"


def broken_now(world: World) -> dict[str, Any]:
    """Return what is wrong at this moment, {} if nothing is."""
    arrived = {record.attribute("ce_id") for record in world.broker.records()}
    marked = OutboxEvent.objects.filter(delivered_at__isnull=False).values_list("event_id", flat=True)
    found = {
        "marked and not on its topic": [str(event_id) for event_id in marked if str(event_id) not in arrived],
        "rolled back and on its topic": sorted(world.rolled_back & arrived),
        "first occurrences out of order": _out_of_order(world, _first_occurrences(world)),
        "SMS given twice": [key for key, times in world.providers.sms.items() if times > 1],
        "SENT and never accepted": _never_accepted(world),
    }
    return {name: what for name, what in found.items() if what}


def broken_at_rest(world: World) -> dict[str, Any]:
    """Return what is missing or doubled after everything has come to rest, {} if nothing is."""
    committed = [event.event_id for event in world.written]
    handled = list(InboxMessage.objects.order_by("id").values_list("event_id", flat=True))
    invoices = Counter(str(key) for key in Invoice.objects.values_list("booking_id", flat=True))
    told = Counter(Notification.objects.values_list("event_id", "channel"))
    confirmations = {event.event_id for event in world.written if event.sequence == 1}
    found = {
        **broken_now(world),
        "handled": _difference(Counter(handled), Counter(committed)),
        "effects out of order": _out_of_order(world, [event_id for event_id in handled if event_id in committed]),
        "invoices": _difference(invoices, Counter(world.by_key().keys())),
        "numbers": _gaps(),
        "mails": _difference(told, _told_once(committed, confirmations)),
        "SENT told twice": list(
            OutboxEvent.objects.filter(type=SENT).values_list("key").annotate(times=Count("id")).filter(times__gt=1)
        ),
        "mails not SENT": list(
            Notification.objects.filter(channel="EMAIL").exclude(status="SENT").values_list("cause")
        ),
        "SMS not SENT and not unknown": list(
            Notification.objects.filter(channel="SMS").exclude(status__in=("SENT", "FAILED")).values_list("status")
        ),
    }
    return {name: what for name, what in found.items() if what}


def _first_occurrences(world: World) -> list[str]:
    records = [record for record in world.broker.records() if record.topic == topic_name(BOOKING)]
    return list(dict.fromkeys(record.attribute("ce_id") for record in records))


def _out_of_order(world: World, event_ids: list[str]) -> list[str]:
    """Return the keys whose events do not begin with the first, go on with the second, and so on."""
    place = {event_id: number for number, event_id in enumerate(event_ids)}
    broken = []
    for key, wanted in world.by_key().items():
        seen = sorted((event_id for event_id in wanted if event_id in place), key=place.__getitem__)
        if seen != wanted[: len(seen)]:
            broken.append(key)
    return broken


def _never_accepted(world: World) -> list[str]:
    accepted = world.providers.mails.keys() | world.providers.sms.keys()
    sent = Notification.objects.filter(status="SENT").values_list("id", flat=True)
    return [str(notification_id) for notification_id in sent if str(notification_id) not in accepted]


def _told_once(committed: list[str], confirmations: set[str]) -> Counter[tuple[str, str]]:
    return Counter([(event_id, "EMAIL") for event_id in committed] + [(event_id, "SMS") for event_id in confirmations])


def _difference(found: Counter[Any], wanted: Counter[Any]) -> dict[str, Any]:
    difference = {"missing": wanted - found, "too many": found - wanted}
    return {name: dict(counter) for name, counter in difference.items() if counter}


def _gaps() -> list[tuple[str, int, int]]:
    return [
        (series.name, series.last, count)
        for series in NumberSeries.objects.all()
        if (count := Invoice.objects.filter(number__startswith=f"{series.name}-").count()) != series.last
    ]
