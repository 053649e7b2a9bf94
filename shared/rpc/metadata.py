"""The names and values that travel beside every message: who calls, for whom, within which request, in which language."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.text import DEFAULT_LOCALE, Locale, locale_of

AUTHORIZATION: Final = "authorization"
SERVICE_CREDENTIAL: Final = "x-service-credential"
REQUEST_ID: Final = "x-request-id"
TRACEPARENT: Final = "traceparent"
LOCALE: Final = "x-locale"

_BEARER: Final = "bearer "

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a call says about itself besides its message; empty where it does not say."""

    service_credential: str = ""
    traveller_token: str = ""
    request_id: str = ""
    traceparent: str = ""
    locale: Locale = DEFAULT_LOCALE

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str | bytes]]) -> "Metadata":
        """Return what the metadata of a call holds; unknown names are ignored, an unknown language is the default."""
        held = {key: value for key, value in pairs if isinstance(value, str)}
        authorization = held.get(AUTHORIZATION, "")
        is_bearer = authorization[: len(_BEARER)].lower() == _BEARER
        return cls(
            service_credential=held.get(SERVICE_CREDENTIAL, ""),
            traveller_token=authorization[len(_BEARER) :].strip() if is_bearer else "",
            request_id=held.get(REQUEST_ID, ""),
            traceparent=held.get(TRACEPARENT, ""),
            locale=locale_of(held.get(LOCALE)) or DEFAULT_LOCALE,
        )

    def pairs(self) -> Pairs:
        """Return the metadata as it goes on the wire; what is empty stays out."""
        named = (
            (SERVICE_CREDENTIAL, self.service_credential),
            (AUTHORIZATION, f"Bearer {self.traveller_token}" if self.traveller_token else ""),
            (REQUEST_ID, self.request_id),
            (TRACEPARENT, self.traceparent),
            (LOCALE, str(self.locale)),
        )
        return tuple((key, value) for key, value in named if value)
