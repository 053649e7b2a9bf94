"""The metadata of a call: the calling service, the traveller, the request and the language."""

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
    """The metadata of a call. A missing value is empty."""

    service_credential: str = ""
    traveller_token: str = ""
    request_id: str = ""
    traceparent: str = ""
    locale: Locale = DEFAULT_LOCALE

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str | bytes]]) -> "Metadata":
        """Parse the metadata of a call. Unknown names are ignored, and an unknown language becomes the default one."""
        values = {key: value for key, value in pairs if isinstance(value, str)}
        authorization = values.get(AUTHORIZATION, "")
        is_bearer = authorization[: len(_BEARER)].lower() == _BEARER
        return cls(
            service_credential=values.get(SERVICE_CREDENTIAL, ""),
            traveller_token=authorization[len(_BEARER) :].strip() if is_bearer else "",
            request_id=values.get(REQUEST_ID, ""),
            traceparent=values.get(TRACEPARENT, ""),
            locale=locale_of(values.get(LOCALE)) or DEFAULT_LOCALE,
        )

    def pairs(self) -> Pairs:
        """Return the metadata for the wire, without empty values."""
        named = (
            (SERVICE_CREDENTIAL, self.service_credential),
            (AUTHORIZATION, f"Bearer {self.traveller_token}" if self.traveller_token else ""),
            (REQUEST_ID, self.request_id),
            (TRACEPARENT, self.traceparent),
            (LOCALE, str(self.locale)),
        )
        return tuple((key, value) for key, value in named if value)
