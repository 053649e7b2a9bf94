"""What the workloads read: a traveller with paid bookings, buyers, and departures with free seats.

Everything is made through the public interfaces, once for a platform: the accounts are remembered in its state folder.
"""

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from rich.console import Console

from demo import documents
from demo.api import Api
from demo.mailbox import Mailbox
from demo.narration import Narrator
from demo.people import Person

BUYERS: Final = 20
TRIPS: Final = """
query Trips($after: Date!, $cursor: String) {
  trips(first: 50, after: $cursor, orderBy: POPULARITY) {
    edges { cursor node { departures(departsAfter: $after, onlyAvailable: true, first: 8) { edges { node { id capacity } } } } }
    pageInfo { hasNextPage }
  }
}
"""
OWN: Final = """
query Own($first: Int!) {
  me { bookings(first: $first, status: CONFIRMED) { edges { cursor node { departure { id } invoice { number } } } } }
}
"""


@dataclass(slots=True)
class Stage:
    """The accounts of the benchmark on the platform that is up."""

    gateway_url: str
    narrator: Narrator
    accounts: dict[str, tuple[str, str]]  # the email address and password by name

    @classmethod
    def of_platform(cls) -> Self:
        """Return the stage of the platform that `manage_all.py bench` names. Make no account yet."""
        path = _remembered()
        accounts = json.loads(path.read_text()) if path.exists() else {}
        return cls(os.environ["GATEWAY_URL"], Narrator(Console(file=sys.stderr)), accounts)

    def person(self, name: str) -> Person:
        """Return the traveller of that name, signed in anew. Register the traveller first if that is not done."""
        mailbox = Mailbox(Path(os.environ["MAIL_DIR"]))
        if name not in self.accounts:
            new = Person.sign_up(name, gateway_url=self.gateway_url, mailbox=mailbox, narrator=self.narrator)
            self.accounts[name] = (new.email, new.password)
            _remembered().write_text(json.dumps(self.accounts))
            return new
        email, password = self.accounts[name]
        person = Person(name, Api(self.gateway_url, notice=self.narrator.notice), mailbox, email, password)
        tokens = person.api.call(documents.LOGIN, {"email": email, "password": password})
        person.api.access_token, person.api.refresh_token = tokens["accessToken"], tokens["refreshToken"]
        return person

    def token(self) -> str:
        """Return a new access token of the traveller with the bookings. It is valid for minutes only."""
        return str(self.person("Ada").api.access_token)

    def buyers_tokens(self) -> list[str]:
        """Return a new access token of each buyer."""
        return [str(self.person(f"Buyer{_letters(number)}").api.access_token) for number in range(BUYERS)]

    def departures(self) -> list[str]:
        """Return departures months ahead, each with at least 12 seats."""
        api, seats = self.person("Ada").api, list[str]()
        for trip in _trips(api):
            seats += [edge["node"]["id"] for edge in trip["departures"]["edges"] if edge["node"]["capacity"] >= 12]
        return seats

    def bookings(self, count: int) -> None:
        """See to it that the traveller has at least `count` paid bookings of different trips, each with its invoice."""
        person = self.person("Ada")
        booked = {edge["node"]["departure"]["id"] for edge in _own(person.api)}
        trips = [[edge["node"]["id"] for edge in trip["departures"]["edges"]] for trip in _trips(person.api)]
        unbooked = [departures[0] for departures in trips if departures and not booked & set(departures)]
        for number, departure in enumerate(unbooked[: max(0, count - len(booked))], len(booked) + 1):
            person.buy(departure, adults=1)
            print(f"\rbooking {number} of {count}", end="", file=sys.stderr, flush=True)
        Person.wait_until(
            lambda: _own(person.api), lambda own: len(own) >= count and all(edge["node"]["invoice"] for edge in own),
            f"the traveller has not {count} bookings with invoices",
        )  # fmt: skip

    def cursors(self, *, every: int) -> list[str]:
        """Return the cursors of the traveller's bookings number `every`, 2 × `every` and so on."""
        return [edge["cursor"] for edge in _own(self.person("Ada").api)[every - 1 :: every]]


def _own(api: Api) -> list[dict[str, Any]]:
    return list(api.call(OWN, {"first": 100})["bookings"]["edges"])


def _trips(api: Api) -> list[dict[str, Any]]:
    after, cursor, trips = (datetime.now(UTC).date() + timedelta(days=120)).isoformat(), None, list[dict[str, Any]]()
    while True:
        page = api.call(TRIPS, {"after": after, "cursor": cursor})
        trips += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return trips
        cursor = page["edges"][-1]["cursor"]


def _letters(number: int) -> str:
    return chr(ord("A") + number)


def _remembered() -> Path:
    return Path(os.environ["TRAVEL_VAR"]) / "bench-gateway.json"
