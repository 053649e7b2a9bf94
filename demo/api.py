"""The demo's GraphQL client. It repeats an operation while a part of the platform is unavailable.

Every mutation of the demo may be repeated: it has an idempotency key, or a repetition changes nothing.
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
TEMPORARY: Final = frozenset(
    {
        "UPSTREAM_UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "PROVIDER_UNAVAILABLE",
        "IDEMPOTENCY_KEY_IN_FLIGHT",
        "PAYMENT_IN_PROGRESS",
    }
)
TEMPORARY_STATUS: Final = frozenset({429, 502, 503, 504})


class Api:
    """A traveller's client.

    After the sign-in it holds the tokens of the session, and renews them when they have expired.
    """

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
        """Return the value of the operation's only field. Repeat it for up to 60 s while a service is unavailable.

        `needs` is the dotted path of a field that another service owns: while it is null, the operation is repeated.
        Raises DemoFailed for a refusal: an entry in the payload's `errors`, or a top-level error that is not temporary.
        """
        started = monotonic()
        renewed = False
        while True:
            patience = PATIENCE_SECONDS if self.answered else FIRST_ANSWER_SECONDS
            answer = self.post(document, variables or {})
            problem = None if isinstance(answer, dict) else answer
            if isinstance(answer, dict):
                self.answered = True
                value, code, problem = judge(answer, needs)
                if code is None:
                    return value
                if code == "UNAUTHENTICATED" and self.refresh_token and not renewed:
                    renewed = True
                    self.renew()
                    continue
                if code not in TEMPORARY and not (code == "RATE_LIMITED" and retry_after(answer) <= patience):
                    raise DemoFailed(f"{code}: {problem}")
            if monotonic() - started > patience:
                if not self.answered:
                    raise DemoFailed(
                        f"{self.gateway_url} does not answer ({problem}). Is the platform up? Type: ./manage_all.py up"
                    )
                raise DemoFailed(f"gave up after {patience:.0f} s: {problem}")
            self.notice(f"{problem}; trying again")
            sleep(max(PAUSE_SECONDS, retry_after(answer) if isinstance(answer, dict) else 0))

    def post(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any] | str:
        """Return the parsed answer, or a text that says why there is none yet. Raises DemoFailed."""
        headers = {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}
        try:
            response = self.client.post(
                f"{self.gateway_url}/graphql", json={"query": document, "variables": variables}, headers=headers
            )
        except httpx.TransportError as error:
            return f"the gateway cannot be reached ({type(error).__name__})"
        if response.status_code in TEMPORARY_STATUS:
            return f"the gateway answered {response.status_code}"
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
            raise DemoFailed(f"the gateway answered {response.status_code} without GraphQL")
        return answer

    def renew(self) -> None:
        """Exchange the refresh token for new tokens."""
        refresh_token, self.access_token = self.refresh_token, None
        tokens = self.call(REFRESH, {"token": refresh_token})
        self.access_token, self.refresh_token = tokens["accessToken"], tokens["refreshToken"]


REFRESH: Final = """
mutation Renew($token: String!) {
  refreshTokens(refreshToken: $token) { accessToken refreshToken errors { code message field } }
}
"""


def judge(answer: Mapping[str, Any], needs: str | None = None) -> tuple[Any, str | None, str | None]:
    """Return the value of the only field, and the code and message of the first error.

    Both are None if there is no error.
    """
    value = next(iter((answer.get("data") or {}).values()), None)
    refusals = (value or {}).get("errors") if isinstance(value, dict) else None
    if refusals:
        first = refusals[0]
        return value, first["code"], first["message"]
    errors = answer.get("errors") or []
    if value is None and errors:
        return None, code_of(errors[0]), str(errors[0].get("message", "no message"))
    if needs is not None and value_at(value, needs) is None:
        cause = next((error for error in errors if code_of(error) in TEMPORARY), None)
        return value, "UPSTREAM_UNAVAILABLE", str(cause["message"]) if cause else f"the field {needs} is still null"
    return value, None, None


def code_of(error: Mapping[str, Any]) -> str:
    """Return the code of a top-level error."""
    return str((error.get("extensions") or {}).get("code", "INTERNAL"))


def value_at(value: Any, path: str) -> Any:
    """Return the value at a dotted path, None if a value on the way is null. A number is an index into a list."""
    for name in path.split("."):
        if value is None:
            return None
        value = (value[int(name)] if len(value) > int(name) else None) if name.isdigit() else value.get(name)
    return value


def retry_after(answer: Mapping[str, Any]) -> float:
    """Return the seconds that an answer asks the client to wait, 0 if it names none."""
    value = next(iter((answer.get("data") or {}).values()), None)
    refusals = (value or {}).get("errors") if isinstance(value, dict) else None
    places = [(error.get("extensions") or {}) for error in answer.get("errors") or []]
    places += [(refusal.get("params") or {}) for refusal in refusals or []]
    return max((float(place.get("retryAfter") or 0) for place in places), default=0.0)
