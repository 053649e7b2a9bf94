"""The context of one operation: the caller, the language, the deadline, and the loaders that batch its reads."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Final, TypeVar

from django.conf import settings
from grpc.aio import UnaryUnaryMultiCallable

from contracts.travel.common.v1 import common_pb2
from gateway_service.gateway.operation.cookies import CookieNotPossible
from gateway_service.gateway.operation.cost_limit import cost_limit
from gateway_service.gateway.operation.loaders import Loaders
from gateway_service.gateway.operation.profile_languages import profile_languages
from shared import rpc
from shared.auth import Traveller
from shared.deadline import Deadline
from shared.errors import DomainError, Unauthenticated
from shared.rpc.mapping import locale_from_proto
from shared.rpc.status import RpcFailed
from shared.text import DEFAULT_LOCALE, Locale

RPC_SECONDS: Final = 5.0

Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(slots=True)
class Operation:
    """The context of one GraphQL operation."""

    traveller: Traveller | None = None
    requested_locale: Locale | None = None
    request_id: str = ""
    traceparent: str = ""
    ip_address: str = ""
    user_agent: str = ""
    refresh_cookie: str = ""
    cookie_allowed: bool = False
    can_set_cookies: bool = False
    caller_deadline: Deadline | None = None
    deadline: Deadline = field(init=False)
    cookies: SimpleCookie = field(default_factory=SimpleCookie)
    loaders: Loaders = field(init=False)
    _locale: Locale | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.deadline = self._new_deadline()
        self.loaders = Loaders(self)
        self._locale = self.requested_locale or (None if self.traveller else DEFAULT_LOCALE)

    def renew(self) -> None:
        """Forget all rows that were read, and start a new deadline.

        Called after each mutation and before each update of a subscription. So later reads see the present state.
        """
        self.loaders = Loaders(self)
        self.deadline = self._new_deadline()

    def _new_deadline(self) -> Deadline:
        """Return the deadline GRAPHQL_SECONDS from now, or the one that the caller sent if it is sooner."""
        caller = self.caller_deadline
        return caller.capped(settings.GRAPHQL_SECONDS) if caller else Deadline.after(settings.GRAPHQL_SECONDS)

    @property
    def token(self) -> str:
        """The traveller's access token, or an empty text if nobody is signed in."""
        return self.traveller.token if self.traveller else ""

    def signed_in_traveller(self) -> Traveller:
        """Return the signed-in traveller. Raises Unauthenticated if nobody is signed in."""
        if self.traveller is None:
            raise Unauthenticated
        return self.traveller

    def charge(self, cost: int) -> None:
        """Count `cost` objects against the minute of the traveller and the network. Raises RateLimited."""
        traveller_id = self.traveller.id if self.traveller else None
        cost_limit.charge(cost, traveller_id=traveller_id, ip_address=self.ip_address)

    def check_cookies_can_be_set(self) -> None:
        """Raise CookieNotPossible over WebSocket and SSE. Called before anything that a lost cookie would lose."""
        if not self.can_set_cookies:
            raise CookieNotPossible

    async def call(self, method: "UnaryUnaryMultiCallable[Request, Response]", request: Request) -> Response:
        """Call `method` for the traveller, within the operation's remaining time.

        `method` is a method of a stub, such as `stubs.bookings.GetQuote`.

        Raises the DomainError that the service raised; Unavailable or DeadlineExceeded if the service does not answer;
        RpcFailed if the call fails.
        """
        return await rpc.aio_call(
            method,
            request,
            context=rpc.CallContext(
                token=self.token,
                deadline=self.deadline.capped(RPC_SECONDS),
                request_id=self.request_id,
                locale=self.known_locale,
                traceparent=self.traceparent,
            ),
        )

    async def call_for_all(self, method: "UnaryUnaryMultiCallable[Request, Response]", request: Request) -> Response:
        """Call `method` without the traveller and without the operation's deadline: other operations share the answer.

        Raises as `call` does.
        """
        return await rpc.aio_call(
            method,
            request,
            context=rpc.CallContext(
                deadline=Deadline.after(RPC_SECONDS), request_id=self.request_id, traceparent=self.traceparent
            ),
        )

    @property
    def known_locale(self) -> Locale:
        """The operation's language if it is known without an RPC; English until the traveller's profile was read."""
        return self._locale or DEFAULT_LOCALE

    async def locale(self) -> Locale:
        """Return the language that the request names, else the language of the traveller's profile.

        Return English if the request names no language and nobody is signed in, or if the profile cannot be read.
        """
        if self._locale is None:
            self._locale = await self._profile_locale()
        return self._locale

    def localized(
        self, texts: Sequence[common_pb2.LocalizedText], language: int | None = None
    ) -> list[str] | Awaitable[list[str]]:
        """Return `texts` in `language`, or in the operation's language for 0 or None.

        Return an awaitable only if the traveller's profile must be read first.
        """
        locale = locale_from_proto(language) if language else self._locale
        return in_language(texts, locale) if locale else self._localized_later(texts)

    async def _localized_later(self, texts: Sequence[common_pb2.LocalizedText]) -> list[str]:
        return in_language(texts, await self.locale())

    async def _profile_locale(self) -> Locale:
        traveller = self.signed_in_traveller()
        locale = profile_languages.get(traveller.id)
        if locale is None:
            try:
                user = await self.loaders.users.load(str(traveller.id))
            except (DomainError, RpcFailed):
                return DEFAULT_LOCALE
            locale = locale_from_proto(user.profile.locale) if user else DEFAULT_LOCALE
            profile_languages[traveller.id] = locale
        return locale


def in_language(texts: Iterable[common_pb2.LocalizedText], locale: Locale) -> list[str]:
    """Return each text in `locale`, or in the other language if there is no text in `locale`."""
    if locale is Locale.FR:
        return [text.fr or text.en for text in texts]
    return [text.en or text.fr for text in texts]
