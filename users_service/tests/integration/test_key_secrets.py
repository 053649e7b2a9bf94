"""The secret that encrypts the signing keys can be changed, and a lost one ends no process."""

from datetime import timedelta

import jwt
import pytest
from structlog.testing import capture_logs

from users_service.accounts import services, signing
from users_service.accounts.contracts import Device
from users_service.accounts.models import SigningKey
from users_service.tests.factories import PASSWORD, UserFactory

FORMER, NEW = "former " * 8, "new " * 12


def published():
    return [key["kid"] for key in signing.jwks()["keys"]]


@pytest.fixture
def secrets_are(settings):
    """Return a function that sets the secrets, newest first, and makes the next call read the database."""

    def change(*secrets):
        settings.SIGNING_KEYS_SECRETS = list(secrets)
        signing.forget()

    return change


@pytest.mark.django_db
def test_a_former_secret_still_opens_the_keys_that_it_encrypted(secrets_are):
    secrets_are(FORMER)
    (kid,) = published()

    secrets_are(NEW, FORMER)

    assert published() == [kid]
    services.rotate_signing_keys(delay=timedelta(seconds=60))
    secrets_are(NEW)
    assert len(published()) == 1
    assert published() != [kid]


@pytest.mark.django_db
def test_a_key_that_no_secret_opens_is_reported_and_skipped(secrets_are):
    """Seen failing: InvalidToken without the except clause; KeyError if make_first_key counts keys that it cannot read."""
    secrets_are(FORMER)
    (lost,) = published()

    secrets_are(NEW)
    with capture_logs() as logs:
        pair = services.log_in(email=UserFactory().email, password=PASSWORD, device=Device("198.51.100.7", "a browser"))
        kids = published()

    kid = jwt.get_unverified_header(pair.access_token)["kid"]
    assert kid != lost
    assert kids == [kid]
    assert SigningKey.objects.count() == 2
    assert [(entry["log_level"], entry["kid"]) for entry in logs if entry["event"] == "signing_key_unreadable"] == [
        ("error", lost)
    ]
    assert services.refresh(refresh_token=pair.refresh_token, device=Device("198.51.100.7")).access_token
