"""Values, documents, bodies and headers that break programs."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final
from uuid import UUID

from gateway_service.gateway.ids import to_global_id

LONG: Final = "x" * 5_000
TEXTS: Final = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udc00\ud800", "\ufffe", "\x1b[31m", "\r\nX-Injected: 1", LONG, "é" * 3_000,
    "👩‍👩‍👧‍👦🏳️‍🌈", "\u202eevil\u202c", "שלום عربى", "e\u0301\u0301\u0301", "%s%n{0}{x}", "' OR 1=1 --", "%", "_", "\\",
    "<script>", "${jndi:x}", "../../etc/passwd", "NaN", "Infinity", "1e999", "-0", "0x10", "१२३", "2026-02-30",
    "0000-00-00", "9999-12-31", "2026-12-01T25:61:61Z", "0001-01-01T00:00:00+14:00", "EUR\x00", "ﬀ", "İ", "tok\u2028en",
)  # fmt: skip
NUMBERS: Final = (
    0, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, 2**64, 10**400, -0.0, 1e308, 5e-324, 1.5, 90.0000001, 181.0,
)  # fmt: skip
OTHERS: Final[tuple[Any, ...]] = (None, True, False, [], [[]], {}, {"": None}, {"id": {"id": []}}, ["a"] * 200)
# Literals of GraphQL are JSON, except for objects, whose names have no quotes.
LITERALS: Final = (
    *(json.dumps(value) for value in (*TEXTS, *NUMBERS, None, True, False, [], [[]], ["a"] * 200)), "{}",
)  # fmt: skip
HEADERS: Final[tuple[Mapping[str, str], ...]] = (
    {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-16"}, {"Content-Type": ""},
    {"Content-Type": "application/json;;=;"}, {"Content-Type": "multipart/form-data"},
    {"Content-Type": "application/graphql"}, {"Accept": ""}, {"Accept": "text/html"}, {"Accept": "*/*;q=x,,;"},
    {"Accept": "application/graphql-response+json"}, {"Accept-Language": "x" * 2_000}, {"Accept-Language": "fr;q=é"},
    {"Accept-Encoding": "gzip;q=NaN, br;q=-1, zstd"}, {"Content-Encoding": "gzip"}, {"Authorization": "Bearer"},
    {"Authorization": "Bearer é"}, {"Authorization": "Bearer a.b.c"}, {"Authorization": "Basic Og=="},
    {"Authorization": "Bearer " + "e" * 5_000}, {"Cookie": "travel_refresh=\"; ;=;a"}, {"Cookie": "travel_refresh=" + "x" * 3_000},
    {"X-Request-Timeout-Ms": "-1"}, {"X-Request-Timeout-Ms": "1"}, {"X-Request-Timeout-Ms": "٣"},
    {"X-Request-Timeout-Ms": "9" * 40}, {"X-Request-Id": "é" * 300}, {"traceparent": "00-" + "0" * 32 + "-0-0"},
    {"traceparent": "é"}, {"Origin": "null"}, {"Origin": "http://[::1"}, {"Sec-Fetch-Site": "é"}, {"Host": "a b"},
    {"Host": "[::1"}, {"X-Forwarded-For": "é, 1.2.3.4.5"}, {"X-Forwarded-Proto": "é"}, {"User-Agent": "é" * 1_000},
    {"Expect": "100-continue"}, {"Connection": "Upgrade", "Upgrade": "websocket"},
)  # fmt: skip


def mangled(random: Random, text: str) -> str:
    """Return the document `text` with one kind of damage."""
    at, end = sorted(random.choices(range(len(text) + 1), k=2))
    damages: tuple[Callable[[], str], ...] = (
        lambda: text[:at],
        lambda: text[:at] + text[end:],
        lambda: text[:end] + text[at:],
        lambda: text[:at] + random.choice('{}()[]:!$@|&="#\\…\x00\ufeff\ud800') + text[at:],
        lambda: text[:at] + random.choice(TEXTS) + text[at:],
        lambda: "query " + "{ a " * random.choice([20, 500, 5_000]) + text,
        lambda: "{ " + " ".join(f"a{n}: me {{ id }}" for n in range(random.choice([31, 900]))) + " }",
        lambda: "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
        lambda: "{ me { id " + "@skip(if: false) " * random.choice([10, 60, 900]) + "} }",
        lambda: f"query ($a: {'[' * 800}Int{']' * 800}) {{ me {{ id }} }}",
        lambda: f"{{ node(id: {'[' * 600}{']' * 600}) {{ id }} }}",
        lambda: text + text,
        lambda: text.replace("query", "subscription", 1),
        lambda: "{ __schema { types { fields { type { ofType { ofType { fields { name } } } } } } } }",
        lambda: '{ __type(name: "\\u0000") { name fields { args { defaultValue } } } __typename }',
    )
    return random.choice(damages)()


def body(random: Random, payload: Mapping[str, Any]) -> bytes:
    """Return `payload` as a body that is no valid request, or one with surprising members."""
    text = json.dumps(payload)
    at = random.randrange(len(text))
    value: Any = random.choice((*TEXTS, *NUMBERS, *OTHERS))
    member = random.choice(["query", "variables", "operationName", "extensions", "id", "\x00"])
    persisted = {
        "persistedQuery": {"version": random.choice([1, value]), "sha256Hash": random.choice(["0" * 64, value])}
    }
    bodies: tuple[Callable[[], bytes], ...] = (
        lambda: text[:at].encode(),
        lambda: b"",
        lambda: b"\xff\xfe" + text.encode("utf-16-le"),
        lambda: text.encode()[:at] + bytes([random.randrange(256)]) + text.encode()[at:],
        lambda: b"[" * 20_000,
        lambda: b'{"a":' * 5_000,
        lambda: f"[{text},{text}]".encode(),
        lambda: json.dumps(value).encode(),
        lambda: json.dumps({**payload, member: value}).encode(),
        lambda: json.dumps({**payload, "extensions": persisted}).encode(),
        lambda: json.dumps({"extensions": persisted}).encode(),
        lambda: text[:-1].encode() + b', "query": 1, "query": "{ me { id } }"}',
        lambda: text[:-1].encode() + b', "variables": ' + b'{"v0":' * 2_000 + b"1" + b"}" * 2_001,
        lambda: json.dumps({**payload, "variables": {f"v{n}": value for n in range(300)}}).encode(),
        lambda: json.dumps({"query": "{ me { id } } #" + "x" * 40_000}).encode(),
    )
    return random.choice(bodies)()


def ids_nobody_has(type_name: str) -> list[str]:
    """Return ids of no object: of the type, of another type, and malformed."""
    nobody = UUID(int=7, version=4)
    return [
        to_global_id(type_name, str(nobody)),
        to_global_id("Nothing", str(nobody)),
        to_global_id(type_name, "0"),
        "?",
        "====",
    ]
