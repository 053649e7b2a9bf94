"""Doubles of the servers that this service calls: users_service over real gRPC, and a mail server over real SMTP."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from secrets import randbelow, token_urlsafe
from typing import Any
from uuid import UUID

import grpc
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from grpc_status import rpc_status

from contracts.travel.common.v1 import common_pb2
from contracts.travel.users.v1 import users_pb2, users_pb2_grpc
from shared.errors import RemoteRefusal
from shared.ids import uuid7
from shared.rpc.mapping import ts
from shared.rpc.status import status_of
from shared.text import Locale

EXPIRES_AT = datetime(2027, 1, 8, 20, 30, tzinfo=UTC)


@dataclass
class Users(users_pb2_grpc.UsersServiceServicer):
    """A double of users_service. `asked` counts its calls; if `unavailable`, it answers UNAVAILABLE.

    `secrets` has the newest token or code of each request: the only one that would work.
    """

    contacts: dict[str, users_pb2.Contact] = field(default_factory=dict)
    pages: dict[str, tuple[str, users_pb2.Contact]] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    locale: common_pb2.Locale = common_pb2.LOCALE_EN
    unavailable: bool = False
    asked: int = 0

    def add(self, **fields: Any) -> UUID:
        """Add a person who accepts every channel, with `fields` changed, and return their id."""
        person_id = uuid7()
        self.contacts[str(person_id)] = users_pb2.Contact(
            **{
                "id": str(person_id),
                "email": "ann@example.org",
                "first_name": "Ann",
                "last_name": "Lindqvist",
                "phone": "+33612345678",
                "phone_verified": True,
                "locale": common_pb2.LOCALE_EN,
                "time_zone": "Europe/Paris",
                "notify_by_email": True,
                "notify_by_sms": True,
                "email_verified": True,
                **fields,
            }
        )
        return person_id

    def want_link(self, *, page: str, **fields: Any) -> str:
        """Want a mail whose link opens `page`; without a page, a mail without a link. Return the request's id.

        Its recipient has `fields`. Like the real service, the answer has no phone number and no declined channel.
        """
        request_id = str(uuid7())
        contact = {
            "id": str(uuid7()),
            "email": "ann@example.org",
            "first_name": "Ann",
            "last_name": "Lindqvist",
            "locale": common_pb2.LOCALE_EN,
            "time_zone": "Europe/Paris",
            "notify_by_email": True,
            **fields,
        }
        self.pages[request_id] = (page, users_pb2.Contact(**contact))
        return request_id

    def want_code(self, *, phone: str) -> str:
        """Want an SMS with a code to `phone`. Return the request's id."""
        request_id = str(uuid7())
        self.numbers[request_id] = phone
        return request_id

    def BatchGetContacts(
        self, request: users_pb2.BatchGetContactsRequest, context: grpc.ServicerContext
    ) -> users_pb2.BatchGetContactsResponse:
        self._answer(context)
        contacts = [self.contacts[id_] for id_ in request.ids if id_ in self.contacts]
        return users_pb2.BatchGetContactsResponse(contacts=contacts)

    def MintLink(self, request: users_pb2.MintLinkRequest, context: grpc.ServicerContext) -> users_pb2.MintLinkResponse:
        self._answer(context)
        if request.request_id not in self.pages:
            _refuse(context, "LINK_NOT_WANTED", "This link is no longer wanted.")
        page, contact = self.pages[request.request_id]
        token = self.secrets[request.request_id] = token_urlsafe(32)
        url = f"http://localhost:8000/{page}?token={token}" if page else ""
        return users_pb2.MintLinkResponse(url=url, expires_at=ts(EXPIRES_AT), contact=contact)

    def MintPhoneCode(
        self, request: users_pb2.MintPhoneCodeRequest, context: grpc.ServicerContext
    ) -> users_pb2.MintPhoneCodeResponse:
        self._answer(context)
        if request.request_id not in self.numbers:
            _refuse(context, "CODE_NOT_WANTED", "This code is no longer wanted.")
        code = self.secrets[request.request_id] = f"{randbelow(1_000_000):06}"
        return users_pb2.MintPhoneCodeResponse(
            code=code, phone=self.numbers[request.request_id], expires_at=ts(EXPIRES_AT), locale=self.locale
        )

    def _answer(self, context: grpc.ServicerContext) -> None:
        self.asked += 1
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "unavailable")


def _refuse(context: grpc.ServicerContext, code: str, message: str) -> None:
    refusal = RemoteRefusal.rebuild(
        code=code, status=grpc.StatusCode.FAILED_PRECONDITION, message=message, field=None, params={}
    )
    context.abort_with_status(rpc_status.to_status(status_of(refusal, Locale.EN)))


@contextmanager
def serve_users(users: Users) -> Iterator[str]:
    """Serve `users` on a free port and yield the address."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    users_pb2_grpc.add_UsersServiceServicer_to_server(users, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait(5)


@dataclass
class Mailbox:
    """The mails that the server accepted, and its next answers if they are not 250.

    `seconds` has the time that it takes for a mail to a domain.
    """

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        await asyncio.sleep(self.seconds.get(envelope.rcpt_tos[0].partition("@")[2], 0.0))
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "nobody" in address:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def serve_mail(mailbox: Mailbox) -> Iterator[int]:
    """Serve `mailbox` over SMTP on a free port and yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
