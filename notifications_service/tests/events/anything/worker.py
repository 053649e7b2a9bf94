"""Workers in threads that die or freeze at a failpoint, on the real services and the real database."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import pytest
from django.db import connections

from notifications_service.notifications import services
from notifications_service.notifications.channels.faults import OutcomeUnknown, TryLater
from notifications_service.notifications.channels.mail import Mailer
from notifications_service.notifications.services import delivery
from notifications_service.tests.events.anything.broker import Providers
from notifications_service.upstream import Contact
from shared.text import Locale

PLACES: Final = ("delivery.claimed", "mail.accepted", "sms.written", "sms.handed", "sms.accepted")
ANSWERS: Final = ("accepts", "accepts", "later", "silent")
_CONTACT: Final = Contact(
    email="ann@example.org", first_name="Ann", last_name="Lindqvist", phone="+33612345678", locale=Locale.EN,
    notify_by_email=True, notify_by_sms=True, phone_verified=True,
)  # fmt: skip
_here = threading.local()


class Died(BaseException):
    """Stands for SIGKILL: nothing in the code catches it, and open transactions are rolled back."""


@dataclass
class Worker:
    """One call of `deliver`. `dies` or `freezes` name a failpoint; `answer` is what the provider does."""

    notification_id: UUID
    providers: Providers
    answer: str = "accepts"
    dies: str = ""
    freezes: str = ""
    thawed: threading.Event = field(default_factory=threading.Event)
    rests: threading.Event = field(default_factory=threading.Event)  # it is frozen, or it has ended
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run)

    def start(self) -> bool:
        """Start, and return whether it is frozen now."""
        self._thread.start()
        assert self.rests.wait(20)
        if self._thread.is_alive() and not self._ended:
            return True
        self.join()
        return False

    def thaw(self) -> None:
        """Let a frozen worker go on to its end."""
        self.thawed.set()
        self.join()

    def join(self) -> None:
        """Wait for the end. Raises what ended the worker, other than its death."""
        self._thread.join(20)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error

    _ended: bool = False

    def _run(self) -> None:
        _here.worker = self
        try:
            services.deliver(notification_id=self.notification_id)
        except Died:
            pass
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()
            self._ended = True
            self.rests.set()


def install(patch: pytest.MonkeyPatch) -> None:
    """Let `deliver` call the providers of the present worker, and its failpoints the worker itself."""

    def failpoint(name: str) -> None:
        worker: Worker = _here.worker
        if name == worker.dies:
            raise Died
        if name == worker.freezes:
            worker.rests.set()
            assert worker.thawed.wait(60)

    patch.setattr(delivery, "failpoint", failpoint)
    patch.setattr(delivery.upstream, "contact_of", lambda **_: _CONTACT)
    patch.setattr(delivery, "write_mail", lambda claimed, *_: SimpleNamespace(key=str(claimed.id)))
    patch.setattr(Mailer, "send", _send_mail)
    patch.setattr(delivery.sms, "provider", lambda: SimpleNamespace(send=_send_sms))


def _send_mail(_: Mailer, mail: Any, *, proceed: Callable[[], Any]) -> None:
    _accept(_here.worker.providers.mails, mail.key, TryLater, proceed)


def _send_sms(*, notification_id: UUID, **_: Any) -> None:
    _accept(_here.worker.providers.sms, str(notification_id), OutcomeUnknown)


def _accept(
    accepted: dict[str, int], key: str, silence: type[Exception], proceed: Callable[[], Any] = lambda: None
) -> None:
    answer = _here.worker.answer
    if answer == "later":
        raise TryLater("451")
    proceed()
    accepted[key] = accepted.get(key, 0) + 1
    if answer == "silent":
        raise silence("no answer")
