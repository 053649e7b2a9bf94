"""The demo's GraphQL client: one call per operation, repeated while a part of the platform is away.

Every mutation that the demo sends is safe to repeat: by its idempotency key, or by what it means.
"""

from collections.abc import Callable, Mapping
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Final, Self

import httpx

from demo.failure import DemoFailed

PATIENCE_SECONDS: Final = 60.0
FIRST_ANSWER_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.5
PASSING: Final = frozenset(
    {
        "UPSTREAM_UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "PROVIDER_UNAVAILABLE",
        "IDEMPOTENCY_KEY_IN_FLIGHT",
        "PAYMENT_IN_PROGRESS",
    }
)
PASSING_STATUS: Final = frozenset({429, 502, 503, 504})


class Api:
    """A traveller's client. Holds the tokens of the session once signed in, and renews them when they have run out."""

    def __init__(
        self, gateway_url: str, *, notice: Callable[[str], None], transport: httpx.BaseTransport | None = None
    ) -> None:
        self.gateway_url = gateway_url.rstrip("/")
        self.notice = notice
        self.access_token: str | None = None
        self.refresh_token: str | None = None
        self.answered = False
        self.client = httpx.Client(timeout=15.0, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def call(self, document: str, variables: Mapping[str, Any] | None = None, *, needs: str | None = None) -> Any:
        """Return the value of the operation's only field, repeating while what answers for it is away, at most 60 s.

        `needs` names a field of the value, by dots, that another service owns: while it is null the operation is repeated.
        A refusal (an entry in the payload's `errors`, or a top-level error that does not pass by itself) is DemoFailed.
        """
        started = monotonic()
        renewed = False
        while True:
            patience = PATIENCE_SECONDS if self.answered else FIRST_ANSWER_SECONDS
            answer = self.post(document, variables or {})
            trouble = None if isinstance(answer, dict) else answer
            if isinstance(answer, dict):
                self.answered = True
                value, code, trouble = judged(answer, needs)
                if code is None:
                    return value
                if code == "UNAUTHENTICATED" and self.refresh_token and not renewed:
                    renewed = True
                    self.renew()
                    continue
                if code not in PASSING and not (code == "RATE_LIMITED" and waits(answer) <= patience):
                    raise DemoFailed(f"{code}: {trouble}")
            if monotonic() - started > patience:
                if not self.answered:
                    raise DemoFailed(
                        f"{self.gateway_url} does not answer ({trouble}). Is the platform up? Type ./manage_all.py up"
                    )
                raise DemoFailed(f"gave up after {patience:.0f} s: {trouble}")
            self.notice(f"{trouble}; trying again")
            sleep(max(PAUSE_SECONDS, waits(answer) if isinstance(answer, dict) else 0))

    def post(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any] | str:
        """Return the parsed answer, or in words why there is none (yet)."""
        headers = {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}
        try:
            response = self.client.post(
                f"{self.gateway_url}/graphql", json={"query": document, "variables": variables}, headers=headers
            )
        except httpx.TransportError as error:
            return f"the gateway cannot be reached ({type(error).__name__})"
        if response.status_code in PASSING_STATUS:
            return f"the gateway answered {response.status_code}"
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
            raise DemoFailed(f"the gateway answered {response.status_code} without GraphQL")
        return answer

    def renew(self) -> None:
        """Trade the refresh token for new tokens."""
        refresh_token, self.access_token = self.refresh_token, None
        tokens = self.call(REFRESH, {"token": refresh_token})
        self.access_token, self.refresh_token = tokens["accessToken"], tokens["refreshToken"]


REFRESH: Final = """
mutation Renew($token: String!) {
  refreshTokens(refreshToken: $token) { accessToken refreshToken errors { code message field } }
}
"""


def judged(answer: Mapping[str, Any], needs: str | None = None) -> tuple[Any, str | None, str | None]:
    """Return the only field's value with no code when it is whole, else the code and the message of what is wrong with it."""
    value = next(iter((answer.get("data") or {}).values()), None)
    refusals = (value or {}).get("errors") if isinstance(value, dict) else None
    if refusals:
        first = refusals[0]
        return value, first["code"], first["message"]
    errors = answer.get("errors") or []
    if value is None and errors:
        return None, code_of(errors[0]), str(errors[0].get("message", "no message"))
    if needs is not None and reached(value, needs) is None:
        about = next((error for error in errors if code_of(error) in PASSING), None)
        return value, "UPSTREAM_UNAVAILABLE", str(about["message"]) if about else f"{needs} is not known yet"
    return value, None, None


def code_of(error: Mapping[str, Any]) -> str:
    """Return the code of a top-level error."""
    return str((error.get("extensions") or {}).get("code", "INTERNAL"))


def reached(value: Any, path: str) -> Any:
    """Return what lies at a dotted path, None where anything on the way is null. A number is a place in a list."""
    for name in path.split("."):
        if value is None:
            return None
        value = (value[int(name)] if len(value) > int(name) else None) if name.isdigit() else value.get(name)
    return value


def waits(answer: Mapping[str, Any]) -> float:
    """Return the seconds that an answer asks to wait, 0 where it names none."""
    value = next(iter((answer.get("data") or {}).values()), None)
    refusals = (value or {}).get("errors") if isinstance(value, dict) else None
    places = [(error.get("extensions") or {}) for error in answer.get("errors") or []]
    places += [(refusal.get("params") or {}) for refusal in refusals or []]
    return max((float(place.get("retryAfter") or 0) for place in places), default=0.0)
