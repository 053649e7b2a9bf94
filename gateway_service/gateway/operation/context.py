"""What one operation knows: who asks, in which language, until when, and the loaders that batch its reads."""

import time
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final

from django.conf import settings
from google.protobuf.message import Message

from contracts.travel.common.v1 import common_pb2
from gateway_service.gateway.operation.loaders import Loaders
from gateway_service.gateway.upstream.grpc import CLIENTS
from shared.auth import Traveller
from shared.deadline import Deadline
from shared.errors import DomainError, Unauthenticated
from shared.rpc import CallContext
from shared.rpc.mapping import locale_from_proto
from shared.rpc.status import RpcFailed
from shared.text import DEFAULT_LOCALE, Locale

RPC_SECONDS: Final = 5.0


class _Languages:
    """The languages of travellers' profiles, remembered for half a minute so that not every operation asks."""

    _SECONDS: Final = 30.0
    _SIZE: Final = 10_000

    def __init__(self) -> None:
        self._known: OrderedDict[object, tuple[float, Locale]] = OrderedDict()

    def get(self, key: object) -> Locale | None:
        until, locale = self._known.get(key, (0.0, DEFAULT_LOCALE))
        return locale if until > time.monotonic() else None

    def put(self, key: object, locale: Locale) -> None:
        self._known[key] = (time.monotonic() + self._SECONDS, locale)
        self._known.move_to_end(key)
        while len(self._known) > self._SIZE:
            self._known.popitem(last=False)

    def forget(self, key: object) -> None:
        self._known.pop(key, None)


languages = _Languages()


@dataclass(slots=True)
class Operation:
    """The context of one GraphQL operation."""

    traveller: Traveller | None = None
    asked_locale: Locale | None = None
    request_id: str = ""
    traceparent: str = ""
    ip_address: str = ""
    user_agent: str = ""
    refresh_cookie: str = ""
    cookie_allowed: bool = False
    deadline: Deadline = field(default_factory=lambda: Deadline.after(settings.GRAPHQL_SECONDS))
    cookies: SimpleCookie = field(default_factory=SimpleCookie)
    loaders: Loaders = field(init=False)
    _locale: Locale | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self)
        self._locale = self.asked_locale or (None if self.traveller else DEFAULT_LOCALE)

    def renew(self) -> None:
        """Forget what was read and start the clock again: after a mutation, and for each event of a subscription."""
        self.loaders = Loaders(self)
        self.deadline = Deadline.after(settings.GRAPHQL_SECONDS)

    def owner(self) -> Traveller:
        """Return who is signed in. Raises Unauthenticated where nobody is."""
        if self.traveller is None:
            raise Unauthenticated
        return self.traveller

    async def call(self, service: str, method: str, request: Message) -> Any:
        """Return the answer of one RPC, asked for the traveller and within what is left of the operation's time."""
        return await CLIENTS[service].call(
            method,
            request,
            context=CallContext(
                token=self.traveller.token if self.traveller else "",
                deadline=self.deadline.capped(RPC_SECONDS),
                request_id=self.request_id,
                locale=self.known_locale,
                traceparent=self.traceparent,
            ),
        )

    @property
    def known_locale(self) -> Locale:
        """The language as far as it is known without asking anybody."""
        return self._locale or DEFAULT_LOCALE

    async def locale(self) -> Locale:
        """Return the language asked for, else the profile's, else English; users_service away is no reason to fail."""
        if self._locale is None:
            self._locale = await self._profile_locale()
        return self._locale

    def localized(self, text: common_pb2.LocalizedText, asked: int | None = None) -> str | Awaitable[str]:
        """Return `text` in the language asked for, at once where it is known and after a look at the profile where not."""
        locale = locale_from_proto(asked) if asked else self._locale
        return pick(text, locale) if locale else self._localized_later(text)

    async def _localized_later(self, text: common_pb2.LocalizedText) -> str:
        return pick(text, await self.locale())

    async def _profile_locale(self) -> Locale:
        traveller = self.owner()
        known = languages.get(traveller.id)
        if known is None:
            try:
                user = await self.loaders.users.load(str(traveller.id))
            except (DomainError, RpcFailed):
                return DEFAULT_LOCALE
            known = locale_from_proto(user.profile.locale) if user else DEFAULT_LOCALE
            languages.put(traveller.id, known)
        return known


def pick(text: common_pb2.LocalizedText, locale: Locale) -> str:
    """Return `text` in `locale`, or in the other language where it was written in one alone."""
    return (text.fr or text.en) if locale is Locale.FR else (text.en or text.fr)
