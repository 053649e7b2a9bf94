"""What staff do with a dead letter: retry it, or discard it for a reason. Each is kept as a DeadLetterAction.

A letter waits if an earlier one of its key is dead. Retrying it would change nothing, so that is refused, and the
refusal names the letter to retry instead.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from shared.errors import Conflict, Invalid, NotFound
from shared.inbox import letters, receipts
from shared.inbox.models import BrakedType, DeadLetter, DeadLetterAction
from shared.text import Text

MAX_REASON: Final = 500


class DeadLetterNotFound(NotFound):
    """There is no dead letter with this id."""

    code = "DEAD_LETTER_NOT_FOUND"
    text = Text(en="There is no dead letter {letter}.", fr="Il n'y a pas de message en échec {letter}.")


class DeadLetterResolved(Conflict):
    """The dead letter was retried or discarded already."""

    code = "DEAD_LETTER_RESOLVED"
    text = Text(en="This dead letter is settled already.", fr="Ce message est déjà réglé.")


class DeadLetterWaits(Conflict):
    """An earlier dead letter of the key must be settled first: its id is `before`."""

    code = "DEAD_LETTER_WAITS"
    text = Text(
        en="Event {letter} waits behind dead letter {before}. Retry {before}: the events parked behind it follow.",
        fr="L'événement {letter} attend le message en échec {before}. Réessayez {before} : les suivants viendront.",
    )


class ReasonRequired(Invalid):
    """A discard was asked for without a reason."""

    code = "REASON_REQUIRED"
    text = Text(en="Say why the event is discarded.", fr="Dites pourquoi l'événement est abandonné.")


class ReasonTooLong(Invalid):
    """The reason has more characters than are kept."""

    code = "REASON_TOO_LONG"
    text = Text(
        en="The reason has {length} characters. At most {most} are kept.",
        fr="La raison a {length} caractères. {most} au plus sont gardés.",
    )


@dataclass(frozen=True, slots=True)
class Retry:
    """A letter that is tried within seconds, and how many events behind it are tried once it took effect."""

    letter: DeadLetter
    follow: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a retry of some letters does: the letters tried, and those that wait for the dead letter named with each."""

    retries: Sequence[Retry]
    waiting: Sequence[tuple[DeadLetter, int]]

    @property
    def follow(self) -> int:
        """How many events are tried behind the retried letters."""
        return sum(retry.follow for retry in self.retries)


def plan(chosen: Iterable[int]) -> Plan:
    """Return what a retry of the letters with these ids would do now. Letters that are settled are left out.

    Events behind a retried letter follow it up to the next dead letter of the key that is not chosen. A parked event
    that is chosen follows in the same way, or waits for a dead letter that is not chosen.
    """
    ids = set(chosen)
    keys = DeadLetter.objects.filter(id__in=ids).values("key")
    open_rows = DeadLetter.objects.filter(status__in=DeadLetter.OPEN, key__in=keys).defer("value", "headers")
    heads: dict[object, int] = {}  # of each key: the retried letter that the next events follow
    blockers: dict[object, int] = {}  # of each key: the dead letter that is not chosen
    retried: dict[int, DeadLetter] = {}
    follow: Counter[int] = Counter()
    waiting = []
    for row in open_rows.order_by("id"):
        key = (row.consumer, row.topic, row.key) if row.key else row.id
        if key in blockers:
            if row.id in ids:
                waiting.append((row, blockers[key]))
        elif row.id in ids and row.status != DeadLetter.Status.PARKED:
            retried[row.id] = row
            heads[key] = row.id
        elif row.status == DeadLetter.Status.DEAD:
            blockers[key] = row.id
        elif key in heads:
            follow[heads[key]] += 1
    return Plan(retries=[Retry(row, follow[row.id]) for row in retried.values()], waiting=waiting)


def behind(letter: DeadLetter) -> QuerySet[DeadLetter]:
    """Return the open letters of the key that wait behind `letter`, the oldest first."""
    rows = DeadLetter.objects.filter(consumer=letter.consumer, topic=letter.topic, key=letter.key)
    rows = rows.filter(status__in=DeadLetter.OPEN, id__gt=letter.id).order_by("id")
    return rows if letter.key else rows.none()


@transaction.atomic
def retry(*, dead_letter_id: int, by: str) -> int:
    """Ask for a retry of the letter, and return how many events follow it. The consumer does it within seconds.

    If the letter waits for the brake of its type, the consumer tries one event of the type now.

    Raises DeadLetterNotFound, DeadLetterResolved if it is settled, and DeadLetterWaits if an earlier letter is dead.
    """
    letter = _locked(dead_letter_id)
    expected = plan([letter.id])
    for _, before in expected.waiting:
        raise DeadLetterWaits(letter=letter.id, before=before)
    if not (letter.status == DeadLetter.Status.BRAKED and _probe_now(letter)):
        _settle(letter, status=DeadLetter.Status.RETRYING, by=by)
    _note(letter, DeadLetterAction.Kind.RETRY, by=by)
    return expected.follow


@transaction.atomic
def discard(*, dead_letter_id: int, by: str, reason: str) -> None:
    """Discard the letter for good: neither a second delivery nor a replay of its event takes effect later.

    The events behind it keep their order, and are tried if no dead letter is before them any more.

    Raises ReasonRequired, ReasonTooLong, DeadLetterNotFound, and DeadLetterResolved if it is settled.
    """
    reason = checked_reason(reason)
    letter = _locked(dead_letter_id)
    if event_id := letters.record_of(letter).whole_attribute("ce_id"):
        receipts.receive(consumer=letter.consumer, event_ids=[event_id])
    _settle(letter, status=DeadLetter.Status.DISCARDED, by=by)
    _note(letter, DeadLetterAction.Kind.DISCARD, by=by, reason=reason)


def checked_reason(reason: str) -> str:
    """Return the reason of a discard without blanks around it. Raises ReasonRequired and ReasonTooLong."""
    reason = reason.replace("\x00", "").strip()
    if not reason:
        raise ReasonRequired(field="reason")
    if len(reason) > MAX_REASON:
        raise ReasonTooLong(field="reason", length=len(reason), most=MAX_REASON)
    return reason


def _locked(letter_id: int) -> DeadLetter:
    """Return the letter under its key's lock, so that the consumer does not work on it. Raises if it is settled."""
    letter = DeadLetter.objects.filter(id=letter_id).first()
    if letter is None:
        raise DeadLetterNotFound(letter=letter_id)
    letters.lock_key(consumer=letter.consumer, topic=letter.topic, key=letter.key)
    letter.refresh_from_db()
    if letter.status not in DeadLetter.OPEN:
        raise DeadLetterResolved
    return letter


def _probe_now(letter: DeadLetter) -> bool:
    """Let the consumer try the letter's braked type at once. Return whether the type is braked."""
    braked = BrakedType.objects.filter(consumer=letter.consumer, event_type=letter.event_type)
    return bool(braked.update(next_probe_at=Now()))


def _settle(letter: DeadLetter, *, status: DeadLetter.Status, by: str) -> None:
    DeadLetter.objects.filter(id=letter.id).update(status=status, resolved_by=by[:255], changed_at=Now())


def _note(letter: DeadLetter, kind: DeadLetterAction.Kind, *, by: str, reason: str = "") -> None:
    DeadLetterAction.objects.create(letter=letter, kind=kind, by=by[:255], reason=reason)
