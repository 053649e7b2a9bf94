"""The conditions for running a method: who calls, for which traveller, until when, with what request."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

from dataclasses import dataclass
from typing import Any, Final, Literal

import grpc
from google.protobuf.message import Message

from shared.auth import Traveller, verify_access_token, verify_service_credential
from shared.deadline import Deadline
from shared.errors import Forbidden, Invalid, Unauthenticated
from shared.rpc.context import current_request_id
from shared.rpc.decoding import check_decoded
from shared.rpc.metadata import Metadata
from shared.text import Locale

MAX_BATCH: Final = 1_000

Identity = Literal["required", "optional", "none"]


@dataclass(frozen=True, slots=True)
class Call:
    """The context of a call. `traveller` is None only if the method allows it."""

    traveller: Traveller | None
    caller: str
    deadline: Deadline
    request_id: str
    locale: Locale

    @property
    def signed_in_traveller(self) -> Traveller:
        """The signed-in traveller. Raises Unauthenticated if the call has no traveller."""
        if self.traveller is None:
            raise Unauthenticated
        return self.traveller


@dataclass(frozen=True, slots=True)
class Guard:
    """The conditions of one method. A call has at most `seconds`."""

    callers: frozenset[str]
    traveller: Identity
    seconds: float

    def deadline(self, context: grpc.aio.ServicerContext[Any, Any]) -> Deadline:
        """Return when the call ends: after `seconds`, or sooner if its caller says so."""
        remaining = context.time_remaining()
        return Deadline.after(self.seconds if remaining is None else min(remaining, self.seconds))

    def admit(self, metadata: Metadata, deadline: Deadline) -> Call:
        """Return the call's context. Raises Unauthenticated, Forbidden or DeadlineExceeded."""
        if not metadata.service_credential:
            raise Unauthenticated
        caller = verify_service_credential(metadata.service_credential)
        if caller not in self.callers:
            raise Forbidden
        traveller = self._traveller(metadata.traveller_token)
        deadline.check()
        return Call(traveller, caller, deadline, current_request_id(), metadata.locale)

    def _traveller(self, token: str) -> Traveller | None:
        if self.traveller == "none":
            return None
        if token:
            return verify_access_token(token)
        if self.traveller == "required":
            raise Unauthenticated
        return None


def check_request(request: Message) -> None:
    """Raise Invalid for bytes that are not protobuf, and for a repeated field of more than MAX_BATCH values."""
    check_decoded(request)
    for field, value in request.ListFields():
        if field.is_repeated and len(value) > MAX_BATCH:
            raise Invalid(field=field.name)
