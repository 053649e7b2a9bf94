"""Registrations and verifications of one address at the same time: one account, with the password of the verified one.

No password is hashed here, so that the transactions start together.
"""

import pytest

from shared.testing import race
from users_service.accounts import domain, passwords, services
from users_service.accounts.contracts import Device, Registration
from users_service.accounts.models import LinkRequest, User
from users_service.tests.conftest import audited, minted_token, patiently

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Device("198.51.100.7")


@pytest.fixture(autouse=True)
def _many_at_once(settings, monkeypatch) -> None:
    settings.MAIL_REQUEST_LIMIT_NETWORK = settings.MAIL_REQUEST_LIMIT_ADDRESS = 0
    settings.HASHES_WAITING = 100
    passwords.forget()
    monkeypatch.setattr(passwords, "hashed", lambda password: f"hash of {password}")


def register(number: int) -> None:
    registration = Registration("ann@example.org", password_of(number), "Ann", "O’Hara", None, "", True)
    services.register(registration=registration, device=HERE)


def verify(token: str) -> None:
    services.verify_email(token=token, device=HERE)


def password_of(number: int) -> str:
    return f"grey heron number {number}"


def token_of(number: int) -> str:
    """Return a token of the registration's link. Raises LinkNotWanted if the registration was deleted meanwhile."""
    link = LinkRequest.objects.filter(registration__password=f"hash of {password_of(number)}").first()
    if link is None:
        raise domain.LinkNotWanted
    return minted_token(link)


def register_and_verify(number: int) -> None:
    patiently(lambda: register(number))
    patiently(lambda: verify(token_of(number)))


def test_fifty_registrations_and_their_verifications_among_fifty_earlier_ones_make_one_account(events):
    """All start at the same time: the verification of an earlier registration, a new registration, and so on.

    Seen failing (deadlocks) without the lock on the address.
    """
    for number in range(0, 100, 2):
        register(number)
    works = []
    for number in range(0, 100, 2):
        token = token_of(number)
        works.append(lambda token=token: patiently(lambda: verify(token)))
        works.append(lambda number=number + 1: register_and_verify(number))

    outcomes = race(works, timeout=60)

    assert outcomes.count(None) == 1, outcomes
    refusals = {type(outcome) for outcome in outcomes if outcome is not None}
    assert refusals <= {domain.TokenInvalid, domain.LinkNotWanted}, outcomes
    assert User.objects.get().password == f"hash of {password_of(outcomes.index(None))}"
    assert (events().count("user.registered"), audited().count("registered")) == (1, 1)
    for number in range(100):
        with pytest.raises((domain.LinkNotWanted, domain.TokenInvalid)):
            verify(token_of(number))


def test_twenty_uses_of_one_link_at_the_same_time_make_one_account(events):
    """Seen failing (IntegrityError) without the locks on the address and the registration, and the mark of the link."""
    register(1)
    token = token_of(1)

    outcomes = race([lambda: patiently(lambda: verify(token))] * 20)

    assert outcomes.count(None) == 1, outcomes
    assert {type(outcome) for outcome in outcomes if outcome is not None} == {domain.TokenInvalid}
    assert User.objects.count() == 1
    assert (events().count("user.registered"), audited().count("registered")) == (1, 1)
