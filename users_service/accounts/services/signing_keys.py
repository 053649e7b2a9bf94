"""Replace the signing keys: in time for every verifier, or at once if a key was compromised."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from shared.db import database_now
from shared.errors import Conflict
from shared.text import Text
from users_service.accounts import events, signing
from users_service.accounts.models import SigningKey


class RotationUnderWay(Conflict):
    """A key is published that does not sign yet. A second rotation would only confuse."""

    code = "SIGNING_KEY_ROTATION_UNDER_WAY"
    text = Text(
        en="A rotation is under way: key {kid} signs from {signs_from}. Nothing was changed.",
        fr="Une rotation est en cours : la clé {kid} signe à partir de {signs_from}. Rien n’a changé.",
    )


@dataclass(frozen=True, slots=True)
class Rotation:
    """The new key, when it signs, and the keys before it, which stop signing at that time."""

    kid: str
    signs_from: datetime
    former: tuple[str, ...]


def rotate_signing_keys(*, delay: timedelta) -> Rotation:
    """Publish a new key, which replaces the present one after `delay`. If no key signs, the new one signs immediately.

    No token is refused if `delay` is longer than the verifiers keep a key set. Raises RotationUnderWay.
    """
    with transaction.atomic():
        signing.lock()
        now = database_now()
        keys = SigningKey.objects.filter(withdrawn_at__isnull=True)
        coming = keys.filter(activates_at__gt=now).order_by("activates_at").first()
        if coming is not None:
            raise RotationUnderWay(kid=coming.kid, signs_from=f"{coming.activates_at:%Y-%m-%d %H:%M:%S} UTC")
        present = keys.exclude(retired_at__lte=now)
        former = tuple(present.order_by("kid").values_list("kid", flat=True))
        signs_from = now + delay if former else now
        present.update(retired_at=signs_from)
        kid = signing.make_key(signs_from=signs_from).kid
        events.publish_signing_keys_changed(kid, withdrawn=False, now=now)
        transaction.on_commit(signing.forget)
    return Rotation(kid, signs_from, former)


def replace_compromised_signing_keys() -> Rotation:
    """Withdraw every key. A new one signs immediately, and an event tells every verifier."""
    with transaction.atomic():
        signing.lock()
        now = database_now()
        keys = SigningKey.objects.filter(withdrawn_at__isnull=True)
        former = tuple(keys.order_by("kid").values_list("kid", flat=True))
        keys.update(withdrawn_at=now, retired_at=Coalesce(F("retired_at"), Value(now)))
        kid = signing.make_key(signs_from=now).kid
        events.publish_signing_keys_changed(kid, withdrawn=True, now=now)
        transaction.on_commit(signing.forget)
    return Rotation(kid, now, former)
