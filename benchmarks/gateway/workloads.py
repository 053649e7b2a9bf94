"""The four workloads: their documents, their variables, and what a right answer looks like."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final

from benchmarks.gateway.client import Connection
from benchmarks.gateway.travellers import Stage

MONEY: Final = "{ amount currency }"
ME: Final = "query Me { me { id email profile { firstName lastName locale currency timeZone } } }"
BOOKINGS: Final = f"""
query Bookings($first: Int!, $after: String) {{
  me {{
    bookings(first: $first, after: $after, status: CONFIRMED) {{
      edges {{
        node {{
          id reference status title startsAt timeZone total {MONEY} paid {MONEY}
          departure {{
            id startsAt endsAt status adultPrice {MONEY}
            trip {{
              slug title durationDays
              destination {{
                slug name summary countryCode latitude longitude
                ancestors {{ slug name }}
                photos {{ url(width: 640) alt credit }}
              }}
            }}
          }}
          invoice {{ number issuedAt total {MONEY} }}
        }}
      }}
    }}
  }}
}}
"""
SEARCH: Final = f"""
query Search($search: String!) {{
  destinations(search: $search, first: 20) {{
    totalCount
    edges {{
      node {{
        id slug kind name summary countryCode
        photos {{ url(width: 640) alt credit }}
        averagePrices {{ category price {MONEY} asOf }}
      }}
    }}
  }}
}}
"""
QUOTE: Final = f"""
mutation Quote($departure: ID!) {{
  createQuote(departure: $departure, adults: 1) {{
    quote {{ id expiresAt total {MONEY} lines {{ label quantity total {MONEY} }} }}
    errors {{ code message }}
  }}
}}
"""
BOOK: Final = f"""
mutation Book($input: CreateBookingInput!) {{
  createBooking(input: $input) {{
    booking {{ id reference status holdExpiresAt total {MONEY} }}
    errors {{ code message }}
  }}
}}
"""
# Each finds at least 20 places.
SEARCHES: Final = tuple("ban san new por bar vill man sal car mar chi bel sai kar gua".split())
# The limits of cost are high and not 0, so that the cost is counted. No hold may expire while another run measures.
UP: Final = (
    "DEBUG=false HOLD_LIMIT_BOOKINGS=0 HOLD_LIMIT_SEATS=0 BOOKING_HOLD_SECONDS=86400 GRAPHQL_COST_LIMIT_TRAVELLER=1000000000"
    " GRAPHQL_COST_LIMIT_NETWORK=1000000000 ./manage_all.py up --detach"
)
PASSENGER: Final = {"firstName": "Ada", "lastName": "Byron", "kind": "ADULT"}


class WrongAnswer(Exception):
    """An answer is not what the workload expects."""

    def __str__(self) -> str:
        return f"{super().__str__()}\nAt a limit, start the platform again: {UP}"


class Workload:
    """Requests that are sent one after another. `mark` is its letter in the tables."""

    mark: str
    title: str
    writes = False

    async def send(self, connection: Connection) -> None:
        """Send one request and check its answer. Raises WrongAnswer."""
        raise NotImplementedError

    def plan(self) -> dict[str, Any]:
        """Return what a client without GraphQL needs for the same work."""
        raise NotImplementedError


@dataclass(slots=True)
class Read(Workload):
    """A query with each of several variables in turn. Every gateway must answer with the data of the first answer."""

    mark: str
    title: str
    bodies: Sequence[bytes]
    token: str
    rows: int
    _turn: Iterator[bytes] = field(init=False)
    _data: dict[bytes, Any] = field(init=False, default_factory=dict)
    _right: dict[bytes, set[bytes]] = field(init=False)  # answers that were compared before, by body

    def __post_init__(self) -> None:
        self._turn = itertools.cycle(self.bodies)
        self._right = {body: set() for body in self.bodies}

    def plan(self) -> dict[str, Any]:
        """Return the token, the rows and the search."""
        return {"tokens": [self.token], "rows": self.rows, "search": SEARCHES[0]}

    async def send(self, connection: Connection) -> None:
        """Send the next query. Raises WrongAnswer for an answer with errors, gaps, or other data than the first."""
        body = next(self._turn)
        answer = await connection.post(body, self.token)
        if answer in self._right[body]:
            return
        content = complete(answer, rows=self.rows)
        if self._data.setdefault(body, content) != content:
            raise WrongAnswer(f"({self.mark}) two answers differ: {self._data[body]} … {content}"[:2_000])
        self._right[body].add(answer)


def complete(answer: bytes, *, rows: int) -> Any:
    """Return the JSON of the answer. Raises WrongAnswer if it has errors, nulls or fewer rows than it should."""
    content = json.loads(answer)
    edges = [value for name, value in _lists(content) if name == "edges"]
    if "errors" in content or any(value is None for _, value in _leaves(content)):
        raise WrongAnswer(f"an answer is incomplete: {answer[:600]!r}")
    if rows and [len(rows_of) for rows_of in edges] != [rows]:
        raise WrongAnswer(f"an answer has not {rows} rows: {answer[:300]!r}")
    return content


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, key)
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child, name)
    else:
        yield name, value


def _lists(value: Any) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, dict):
        for key, child in value.items():
            if isinstance(child, list):
                yield key, child
            yield from _lists(child)
    elif isinstance(value, list):
        for child in value:
            yield from _lists(child)


@dataclass(slots=True)
class Book(Workload):
    """A quote and a booking: two requests that count as one. Buyers and departures take turns."""

    tokens: Sequence[str]
    departures: Sequence[str]
    mark: str = "d"
    title: str = "quote + createBooking"
    writes: bool = True
    _turn: Iterator[int] = field(init=False, default_factory=itertools.count)

    def plan(self) -> dict[str, Any]:
        """Return the buyers' tokens and the departures."""
        return {"tokens": list(self.tokens), "departures": list(self.departures)}

    async def send(self, connection: Connection) -> None:
        """Quote and book one seat. Raises WrongAnswer for a refusal."""
        number = next(self._turn)
        token, departure = self.tokens[number % len(self.tokens)], self.departures[number % len(self.departures)]
        quoted = json.loads(await connection.post(body_of(QUOTE, departure=departure), token))
        quote = ((quoted.get("data") or {}).get("createQuote") or {}).get("quote")
        if not quote:
            raise WrongAnswer(f"(d) no quote: {quoted}")
        details = {"quote": quote["id"], "passengers": [PASSENGER], "idempotencyKey": token_hex(12)}
        booked = json.loads(await connection.post(body_of(BOOK, input=details), token))
        booking = ((booked.get("data") or {}).get("createBooking") or {}).get("booking")
        if not booking or booking["status"] != "PENDING" or booking["total"] != quote["total"]:
            raise WrongAnswer(f"(d) no booking: {booked}")


def body_of(query: str, **variables: object) -> bytes:
    """Return the JSON of a request."""
    return json.dumps({"query": query, "variables": variables}).encode()


def workload(mark: str, stage: Stage, *, cold: bool = False) -> Workload:
    """Return the workload with new access tokens. A cold one rotates over many objects."""
    if mark == "d":
        return Book(stage.buyers_tokens(), stage.departures())
    token = stage.token()
    if mark == "a":
        return Read("a", "me { profile }", [body_of(ME)], token, rows=0)
    if mark == "c":
        searches = SEARCHES if cold else SEARCHES[:1]
        title = "search of 20 with photos and prices"
        return Read("c", title, [body_of(SEARCH, search=text) for text in searches], token, rows=20)
    if mark == "b100":
        return Read("b100", "100 bookings", [body_of(BOOKINGS, first=100, after=None)], token, rows=100)
    title = "20 bookings with departure, trip, destination, ancestors, photos, invoice"
    pages = [None, *stage.cursors(every=20)[:-1]] if cold else [None]
    return Read("b", title, [body_of(BOOKINGS, first=20, after=page) for page in pages], token, rows=20)
