"""Paused channels: nothing is sent over them, except that one worker at a time probes whether they work again."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from notifications_service.notifications.domain import PROBE_STEPS, Channel
from notifications_service.notifications.models import PausedChannel
from shared.backoff import pause_before
from shared.errors import NotFound

log = structlog.get_logger(__name__)


@transaction.atomic
def pause(channel: Channel, *, cause: str) -> None:
    """Pause the channel and raise the alarm. If it is paused already, plan the next probe, later each time."""
    cause = cause[:500]
    probes = PausedChannel.objects.filter(channel=channel).values_list("probes", flat=True).first()
    if probes is not None and _plan_probe(channel, probes=probes, cause=cause):
        log.warning("channel_still_paused", channel=channel.value, cause=cause, probes=probes)
        return
    _, is_new = PausedChannel.objects.get_or_create(
        channel=channel.value, defaults={"cause": cause, "next_probe_at": Now() + _until_probe(0)}
    )
    if is_new:
        log.error("alarm:channel_paused", channel=channel.value, cause=cause)


def take_probe(channel: Channel) -> bool:
    """Return whether this worker may probe the paused channel now. Only one worker may until its lease ends."""
    lease = timedelta(seconds=settings.NOTIFICATIONS_LEASE_SECONDS)
    due = PausedChannel.objects.filter(channel=channel, next_probe_at__lte=Now())
    return bool(due.update(probes=F("probes") + 1, next_probe_at=Now() + lease))


def probe_again_later(channel: Channel) -> None:
    """Plan the next probe, because the present probe reached no decision."""
    probes = PausedChannel.objects.filter(channel=channel).values_list("probes", flat=True).first()
    if probes is not None:
        _plan_probe(channel, probes=probes)


def probe_now(channel: Channel) -> None:
    """Let the next notification probe the channel. Raises NotFound if the channel is not paused."""
    if not PausedChannel.objects.filter(channel=channel).update(next_probe_at=Now()):
        raise NotFound


def resume(channel: Channel) -> None:
    """End the pause. Everything that is due goes out with the next sweep."""
    if PausedChannel.objects.filter(channel=channel).delete()[0]:
        log.info("channel_resumed", channel=channel.value)


def _plan_probe(channel: Channel, *, probes: int, **fields: str) -> bool:
    next_probe_at = Now() + _until_probe(probes)
    return bool(PausedChannel.objects.filter(channel=channel).update(next_probe_at=next_probe_at, **fields))


def _until_probe(probes: int) -> timedelta:
    return timedelta(seconds=pause_before(probes + 2, PROBE_STEPS))
