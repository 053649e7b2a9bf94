"""Fixtures of notifications_service: a real SMTP server, and a double of users_service that answers over real gRPC."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from notifications_service import upstream
from notifications_service.notifications.services import delivery
from notifications_service.tests.doubles import Mailbox, Users, serve_mail, serve_users
from notifications_service.tests.scripted_smtp import ScriptedServer, serve_script
from shared.auth import testing as auth
from shared.testing.kafka import own_topics, topic_prefix


@pytest.fixture(scope="session", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Install keys that this process signs with and trusts."""
    auth.install(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def kafka_topics() -> Iterator[None]:
    """Create every topic anew for each module, under a prefix of its own.

    A proof leaves records that its consumers did not commit. In another module they would take effect again.
    """
    with topic_prefix(f"test.{secrets.token_hex(4)}."), own_topics():
        yield


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    """Serve a double of users_service. The test adds its people."""
    double = Users()
    with serve_users(double) as address:
        monkeypatch.setenv("USERS_GRPC", address)
        upstream.channel.close()
        yield double
        upstream.channel.close()


@pytest.fixture
def mailbox(settings) -> Iterator[Mailbox]:
    """Serve a mail server. The mails that it accepted are in `mailbox.mails`."""
    accepted = Mailbox()
    with serve_mail(accepted) as port:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        delivery._mailer.close()
        yield accepted
        delivery._mailer.close()


@pytest.fixture
def mail_server(settings) -> Iterator[ScriptedServer]:
    """Serve a mail server whose replies the test chooses."""
    server = ScriptedServer()
    with serve_script(server) as port:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        delivery._mailer.close()
        yield server
        delivery._mailer.close()


@pytest.fixture
def sms_folder(settings, tmp_path: Path) -> Path:
    """Return the folder that the console provider writes to."""
    settings.SMS_DIR = str(tmp_path / "sms")
    return tmp_path / "sms"


@pytest.fixture
def as_traveller() -> Callable[..., Client]:
    """Return a REST client with a traveller's token."""
    return lambda person_id: Client(headers={"authorization": f"Bearer {auth.mint_access_token(person_id)}"})
