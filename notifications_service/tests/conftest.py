"""Fixtures of notifications_service: a real SMTP server, a users_service that answers over real gRPC, a real consumer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from notifications_service import people
from notifications_service.notifications.services import delivery
from notifications_service.tests.doubles import Mailbox, Users, serve_mail, serve_users
from shared.auth import testing as auth


@pytest.fixture(scope="session", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keys that this process signs with and trusts."""
    auth.install(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    """users_service's part of the contract, with people of the test's choosing."""
    held = Users()
    with serve_users(held) as address:
        monkeypatch.setenv("USERS_GRPC", address)
        people._users.close()
        yield held
        people._users.close()


@pytest.fixture
def mailbox(settings) -> Iterator[Mailbox]:
    """A mail server; what it accepted is in `mailbox.mails`."""
    held = Mailbox()
    with serve_mail(held) as port:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        delivery._mailer.close()
        yield held
        delivery._mailer.close()


@pytest.fixture
def sms_folder(settings, tmp_path: Path) -> Path:
    """Where the console provider writes."""
    settings.SMS_DIR = str(tmp_path / "sms")
    return tmp_path / "sms"


@pytest.fixture
def as_traveller() -> Callable[..., Client]:
    """Return a REST client with a traveller's token."""
    return lambda person_id: Client(headers={"authorization": f"Bearer {auth.mint_access_token(person_id)}"})
