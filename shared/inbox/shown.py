"""A dead letter as text for people. Its headers and its value are foreign, so every odd character is escaped."""

import json
import re
from typing import Final

from shared.inbox import letters
from shared.inbox.models import DeadLetter
from shared.kafka.records import printable

MOST_CHARACTERS: Final = 20_000
_MOST_BYTES: Final = 200_000  # of JSON that is shown indented
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

MEANING: Final = {
    DeadLetter.Status.DEAD: "Dead: the consumer gave it up. Later events of its key wait until it is settled.",
    DeadLetter.Status.PARKED: "Parked: it waits behind an earlier dead letter of its key, and follows by itself.",
    DeadLetter.Status.BRAKED: "Braked: too many events of its type failed. The consumer tries one of them from time to"
    " time, and all of them follow once that succeeds.",
    DeadLetter.Status.RETRYING: "Retrying: the consumer tries it within seconds.",
    DeadLetter.Status.RETRIED: "Retried: it took effect after all.",
    DeadLetter.Status.DISCARDED: "Discarded: it never takes effect.",
}


def headers(letter: DeadLetter) -> list[tuple[str, str]]:
    """Return the names and values of the headers as printable text."""
    return [(printable(name.encode()), _cut(printable(value))) for name, value in letters.record_of(letter).headers]


def pretty(letter: DeadLetter) -> str:
    """Return the value as indented JSON, or an empty text if it is no JSON or too large to be shown so."""
    value = bytes(letter.value or b"")
    if len(value) > _MOST_BYTES:
        return ""
    try:
        text = json.dumps(json.loads(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""
    return _cut("".join(char if char == "\n" or char.isprintable() else f"\\u{ord(char):04x}" for char in text))


def raw(letter: DeadLetter) -> str:
    """Return the value as it came, with bytes that are no printable text as \\x.."""
    if letter.value is None:
        return "no value"
    return _cut(printable(bytes(letter.value[: MOST_CHARACTERS + 1]))) or "empty"


def first_line(cause: str) -> str:
    """Return the beginning of a cause for a list. Its later lines may hold a whole row of a table."""
    line = cause.partition("\n")[0]
    return line if len(line) <= 100 else f"{line[:99]}…"


def trace_id(letter: DeadLetter) -> str:
    """Return the trace id of the traceparent header, or an empty text."""
    match = _TRACEPARENT.fullmatch(letters.record_of(letter).attribute("traceparent"))
    return match[1] if match else ""


def request_id(letter: DeadLetter) -> str:
    """Return the id of the request that caused the event, or an empty text."""
    return letters.record_of(letter).attribute("x-request-id")


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}… (cut)"
