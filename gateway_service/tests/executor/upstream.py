"""An upstream in this process, which answers every RPC of the four services with messages made from a seed.

The same request always has the same rows, however requests are batched. Rows are missing, optional fields are unset,
enums are unspecified, and whole methods are refused, each as the seed says.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.upstream import stubs
from gateway_service.tests.executor.documents import POOL
from shared.auth import Traveller
from shared.errors import Conflict, Forbidden, InFlight, Invalid, NotFound, RateLimited, Unavailable
from shared.rpc.status import RpcFailed
from shared.text import Locale

TRAVELLER = Traveller(id=UUID(POOL[0]), session_id=UUID(POOL[1]))
_REFUSALS = (
    NotFound, Invalid, Conflict, Forbidden, lambda: InFlight(retry_after=1), lambda: RateLimited(retry_after=2),
    lambda: Unavailable(retry_after=1), lambda: RpcFailed("no"), lambda: ValueError("a bug"),
)  # fmt: skip
_SERVICES = {
    stubs.users: users_pb2.DESCRIPTOR.services_by_name["UsersService"],
    stubs.destinations: destinations_pb2.DESCRIPTOR.services_by_name["DestinationsService"],
    stubs.bookings: bookings_pb2.DESCRIPTOR.services_by_name["BookingsService"],
    stubs.notifications: notifications_pb2.DESCRIPTOR.services_by_name["NotificationsService"],
}


@dataclass(frozen=True)
class Upstream:
    """What the services answer. `trouble` is the probability of a refusal, a missing row or an unset field."""

    seed: int
    trouble: float = 0.1
    calls: Counter[str] = field(default_factory=Counter)

    def operation(self, *, signed_in: bool = True, locale: Locale | None = Locale.EN) -> Operation:
        """Return the context of an operation that calls this upstream."""
        return _Operation(
            traveller=TRAVELLER if signed_in else None, requested_locale=locale, can_set_cookies=True
        ).calling(self)

    def answer(self, method: str, response: Descriptor, request: Message) -> Message:
        """Return the response. Raises the refusal of `method`, if the seed has one."""
        self.calls[method] += 1
        chance = random.Random(f"{self.seed} {method}")
        if chance.random() < self.trouble:
            refusal = chance.choice(_REFUSALS)
            raise refusal()
        keyed = _keys(request)
        rows = next((field for field in response.fields if field.is_repeated and field.message_type), None)
        made = self.message(response, f"{method} {'' if keyed else request}")
        if keyed is not None and rows is not None:
            made.ClearField(rows.name)
            getattr(made, rows.name).extend(self._rows(rows.message_type, method, *keyed))
        return made

    def _rows(self, row: Descriptor, method: str, name: str, keys: list[str]) -> Iterator[Message]:
        key_field = {"ids": "id", "slugs": "slug"}.get(name, name.removesuffix("s"))
        for key in dict.fromkeys(keys):
            chance = random.Random(f"{self.seed} {row.full_name} {key}")
            if chance.random() >= self.trouble:
                made = self.message(row, f"{row.full_name} {method if name not in {'ids', 'slugs'} else ''} {key}")
                if key_field in row.fields_by_name:
                    setattr(made, key_field, key)
                    yield made

    def message(self, descriptor: Descriptor, key: str) -> Any:
        """Return the message that the seed makes for `key`."""
        return self._filled(descriptor, random.Random(f"{self.seed} {key}"))

    def _filled(self, descriptor: Descriptor, chance: random.Random) -> Any:
        made = _class_of(descriptor)()
        for each in descriptor.fields:
            if each.is_repeated:
                count = chance.choice((0, 1, 2, 3))
                values = [self._value(each, chance) for _ in range(count)]
                getattr(made, each.name).extend(values)
            elif chance.random() >= self.trouble / 2:
                value = self._value(each, chance)
                if isinstance(value, Message):
                    getattr(made, each.name).CopyFrom(value)
                else:
                    setattr(made, each.name, value)
        return made

    def _value(self, each: FieldDescriptor, chance: random.Random) -> Any:
        if each.message_type is not None:
            if each.message_type.full_name == "google.protobuf.Timestamp":
                return _class_of(each.message_type)(
                    seconds=chance.randrange(-(10**9), 4 * 10**9), nanos=chance.randrange(10**9)
                )
            return self._filled(each.message_type, chance)
        if each.enum_type is not None:
            numbers = [value.number for value in each.enum_type.values if value.number]
            return chance.choice(numbers) if chance.random() >= self.trouble / 4 else 0
        if each.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return _text(each.name, chance)
        if each.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return chance.random() < 0.5
        if each.cpp_type in {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}:
            return chance.choice((0.0, -1.5, 48.85))
        wide = each.cpp_type in {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}
        return 2**40 if wide and chance.random() < self.trouble / 4 else chance.randrange(0, 100_000)


@dataclass(slots=True)
class _Operation(Operation):
    """An operation that asks an Upstream. `calling` sets which one."""

    upstream: Upstream | None = None

    def calling(self, upstream: Upstream) -> "_Operation":
        self.upstream = upstream
        return self

    async def call(self, method: Any, request: Any) -> Any:
        assert self.upstream is not None
        name, response = _methods()[id(method)]
        return self.upstream.answer(name, response, request)

    async def call_for_all(self, method: Any, request: Any) -> Any:
        return await self.call(method, request)


@cache
def _methods() -> dict[int, tuple[str, Descriptor]]:
    """Return the name and the response's type of each stub's methods, by the id of the method."""
    return {
        id(getattr(stub, method.name)): (method.name, method.output_type)
        for stub, service in _SERVICES.items()
        for method in service.methods
    }


@cache
def _class_of(descriptor: Descriptor) -> Any:
    return GetMessageClass(descriptor)


def _keys(request: Message) -> tuple[str, list[str]] | None:
    """Return the name and the values of the field that lists the rows to read."""
    for each in request.DESCRIPTOR.fields:
        if each.is_repeated and each.name.endswith("s") and each.message_type is None and getattr(request, each.name):
            return each.name, list(getattr(request, each.name))
    return None


def _text(name: str, chance: random.Random) -> str:
    if name in {"id", "traveller_id", "parent_id"} or name.endswith(("_id", "_ids")):
        return chance.choice(POOL)
    if name == "currency_code":
        return chance.choice(("EUR", "USD", "JPY", "KWD"))
    if name == "rate":
        return chance.choice(("1.25", "0.003", "170"))
    if name == "cursor":
        return str(chance.randrange(100))
    if name in {"rate_date", "as_of", "date_of_birth"}:
        return chance.choice(("2026-12-01", "1990-02-28"))
    return chance.choice(("", "Ann Lee", "Zoë “7” \n", "x"))
