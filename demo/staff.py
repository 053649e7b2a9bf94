"""The staff of the full demo. They schedule a departure in the admin of the catalogue, and cancel it over REST."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Any, Final

import httpx

from demo import documents
from demo.api import Api
from demo.failure import DemoFailed
from demo.ids import raw_id

AHEAD: Final = timedelta(days=200)
ADDING: Final = "/admin/catalogue/departure/add/"
_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
_CHANGING: Final = re.compile(r"/departure/([0-9a-f-]{36})/change/")


@dataclass(slots=True)
class Staff:
    """A staff account, and the address of the catalogue."""

    email: str
    password: str
    catalogue_url: str
    transport: httpx.BaseTransport | None = None

    def schedule(self, trip: str, *, days: int, seats: int) -> str:
        """Add a departure of the trip, of `days`, at a random time. Return its global id. Raises DemoFailed."""
        starts = datetime.now(UTC) + AHEAD + timedelta(seconds=randbelow(86_400))
        with self._client() as admin:
            page = admin.get(ADDING, follow_redirects=True)
            signing_in = {"username": self.email, "password": self.password, "next": ADDING}
            admin.post(str(page.url), data=signing_in | _token(page))
            page = admin.get(ADDING)
            departure = {
                "trip": raw_id(trip), "capacity": str(seats), "adult_price": "300", "child_price": "200",
                "_continue": "1",
                **_moment("starts_at", starts), **_moment("ends_at", starts + timedelta(days=days - 1, hours=1)),
            }  # fmt: skip
            answer = admin.post(ADDING, data=departure | _token(page))
        address = _CHANGING.search(answer.headers.get("location", ""))
        if address is None:
            raise DemoFailed(f"the admin did not schedule the departure: it answered {answer.status_code}")
        return base64.b64encode(f"Departure:{address[1]}".encode()).decode()

    def cancel(self, departure: str, *, api: Api) -> None:
        """Cancel the departure, signed in through `api`. Raises DemoFailed."""
        token = api.call(documents.LOGIN, {"email": self.email, "password": self.password})["accessToken"]
        with self._client() as rest:
            answer = rest.patch(
                f"/api/v1/departures/{raw_id(departure)}/",
                json={"status": "CANCELLED"},
                headers={"Authorization": f"Bearer {token}"},
            )
        if not answer.is_success:
            raise DemoFailed(f"the catalogue answered {answer.status_code}: {answer.text[:200]}")

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.catalogue_url, timeout=10, trust_env=False, transport=self.transport)


def _token(page: httpx.Response) -> dict[str, Any]:
    """Return the token of the page's form, which the answer must repeat. Raises DemoFailed if the page has no form."""
    token = _TOKEN.search(page.text)
    if token is None:
        raise DemoFailed(f"the admin answered {page.status_code} without a form; is the sign-in right?")
    return {"csrfmiddlewaretoken": token[1]}


def _moment(name: str, at: datetime) -> dict[str, str]:
    return {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}
