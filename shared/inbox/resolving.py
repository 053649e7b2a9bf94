"""What staff do with a dead letter: retry it or discard it."""

from django.db import transaction
from django.db.models.functions import Now

from shared.errors import Conflict
from shared.inbox.letters import lock_key
from shared.inbox.models import DeadLetter
from shared.text import Text


class DeadLetterResolved(Conflict):
    """The dead letter was retried or discarded already."""

    code = "DEAD_LETTER_RESOLVED"
    text = Text(en="This dead letter is settled already.", fr="Ce message est déjà réglé.")


def retry(*, dead_letter_id: int, by: str) -> None:
    """Ask for a retry of the dead letter and of the events parked behind it. The consumer does it within seconds.

    Raises DeadLetterResolved if it was retried or discarded already.
    """
    _resolve(dead_letter_id, status=DeadLetter.Status.RETRYING, by=by)


def discard(*, dead_letter_id: int, by: str) -> None:
    """Discard the dead letter. The events parked behind it then take effect.

    Raises DeadLetterResolved if it was retried or discarded already.
    """
    _resolve(dead_letter_id, status=DeadLetter.Status.DISCARDED, by=by)


@transaction.atomic
def _resolve(dead_letter_id: int, *, status: DeadLetter.Status, by: str) -> None:
    letter = DeadLetter.objects.get(id=dead_letter_id)
    lock_key(consumer=letter.consumer, topic=letter.topic, key=letter.key)
    updated = DeadLetter.objects.filter(id=letter.id, status__in=DeadLetter.OPEN).update(
        status=status, resolved_by=by[:255], changed_at=Now()
    )
    if not updated:
        raise DeadLetterResolved
