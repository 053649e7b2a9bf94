"""Logs: one line for each event whatever its values are, no secrets, and the request's id in every line."""

import io
import json
import logging
import logging.config

import pytest
import structlog

from shared.telemetry import (
    bind_request,
    current_locale,
    current_request_id,
    current_traceparent,
    logging_config,
    redact,
)
from shared.text import Locale


@pytest.fixture(params=[True, False], ids=["json", "readable"])
def lines(request):
    """Log into memory, first as in production, then as in development. Yields a function that returns the lines."""
    stream = io.StringIO()
    config = logging_config("users", json_lines=request.param)
    config["handlers"]["stderr"]["stream"] = stream
    config["disable_existing_loggers"] = False
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(config)
    (handler,) = logging.root.handlers

    def written():
        handler.flush()
        return stream.getvalue().splitlines()

    yield written
    logging.root.handlers[:], level = before
    logging.root.setLevel(level)
    structlog.reset_defaults()


SECRETS = {
    "password": "hunter22",
    "newPassword": "hunter22",
    "Authorization": "Basic aHVudGVyMjI=",
    "firstName": "Hunter22",
    "last_name": "Hunter22",
    "remote_addr": "198.51.100.22",
    "x-service-credential": "hunter22",
}
SHAPES = [
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
    "trf_AZrRq3-0fV_zhJ3JtYkq",
    "ann@travel.example",
    "аня@почта.example",
    "198.51.100.22",
    "2001:db8::22",
    "::ffff:198.51.100.22",
    "+33 6 12 34 56 78",
    "pm_declined",
    "sk_" + "live_51Hf0aQ2eZvKYlo2C",
    "rk_" + "test_51Hf0aQ2eZvKYlo2C",
    "whsec_C0ffee4nd7ea",
    "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
    "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBj",
]


@pytest.mark.parametrize(("field", "secret"), SECRETS.items())
def test_a_secret_field_is_never_shown(lines, field, secret):
    structlog.get_logger("x").warning("said", **{field: secret}, nested={"of": [{field: secret}]})

    assert secret not in "\n".join(lines())


@pytest.mark.parametrize("secret", SHAPES)
def test_a_secret_is_recognised_by_its_form_in_any_text(lines, secret):
    with bind_request():
        structlog.get_logger("x").info(f"said {secret}.", note=f"<{secret}>: {secret}: x", deep=[{"key": secret}])
        logging.getLogger("django.request").warning("Bad Request: %s", secret)
        try:
            raise ValueError(f"Key (email)=({secret}) already exists.")
        except ValueError:
            logging.getLogger("y").exception("failed with %s", secret)

    text = "\n".join(lines())
    assert secret not in text
    assert json.dumps(secret)[1:-1] not in text


def test_tokens_after_bearer_and_passwords_in_urls_are_removed(lines):
    structlog.get_logger("x").info(
        "Bearer opaque-1 postgres://travel:opaque-2@db.example/x https://x.example/verify?token=opaque-3&a=1"
    )

    text = "\n".join(lines())
    assert "opaque" not in text
    assert "a=1" in text


def test_the_row_that_the_database_refused_is_removed():
    row = "DETAIL:  Failing row contains (1, Ann, Smith (née\nX), 2020-01-01)."
    key = "DETAIL:  Key (last_name, city)=(Smith, Lyon) already exists."

    for detail in (row, key, row.removeprefix("DETAIL:  "), key.removeprefix("DETAIL:  ")):
        hidden = redact(f"new row violates check constraint\n{detail}\nHINT:  none")
        assert not [word for word in ("Ann", "Smith", "X", "Lyon") if word in hidden], hidden
        assert hidden.startswith("new row violates check constraint")
    assert redact(f"refused\n{row}\nCONTEXT:  COPY x") == "refused\nDETAIL:[redacted]\nCONTEXT:  COPY x"


def test_a_traceback_keeps_its_frames_and_loses_the_row(lines):
    """Seen failing (`Smith, Lyon`) while only the ends of some sentences of PostgreSQL were known."""
    try:
        try:
            raise ValueError("violates\nDETAIL:  Key (last_name, city)=(Smith, Lyon) is a duplicate.")
        except ValueError as error:
            raise RuntimeError("violates\nDETAIL:  Partition key contains (name) = (Smith, Lyon).") from error
    except RuntimeError:
        logging.getLogger("y").exception("failed")

    text = "\n".join(lines())
    assert "Smith" not in text
    assert "The above exception was the direct cause" in text
    assert text.count("Traceback") == 2


def test_numbers_times_and_loopback_addresses_stay_readable():
    said = "10:45:59 departure 019a2b3c in 2026-11-23T10:45:59Z on 127.0.0.1:8003, 12.50 EUR, module shared::x, id 12345678901"

    assert redact(said) == said
    assert redact({"seats": 3, "ok": True, "rate": 0.5, "none": None}) == {
        "seats": 3,
        "ok": True,
        "rate": 0.5,
        "none": None,
    }


@pytest.mark.parametrize(
    "break_", ["\n", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1b[2J\x1b[H", "\x9b2J", "\u202e"]
)
def test_no_value_starts_a_new_line(lines, break_):
    """Seen failing (two lines, and a raw escape) with a renderer that prints values as they are."""
    forged = f"x{break_}2026-11-23 forged"

    structlog.get_logger("x").warning(forged, **{"note": forged, f"k{break_}ey": 1})
    logging.getLogger("y").error("%s", forged)

    written = lines()
    assert len(written) == 2
    assert all(break_ not in line for line in written)


def test_the_lines_of_a_traceback_are_indented_or_inside_their_line(lines):
    try:
        raise ValueError("x\n2026-11-23 forged\n\x1b[2J")
    except ValueError:
        structlog.get_logger("x").exception("failed")

    first, *rest = lines()
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in "".join([first, *rest])


def test_hostile_values_cost_little(lines):
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]

    structlog.get_logger("x").info("A" * 1_000_000, deep=deep, raw=b"\xff" * 1000, at="@." * 50_000)

    assert len("".join(lines())) < 70_000


def test_a_request_has_one_id_one_trace_and_one_language():
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    with bind_request("req-1", trace, "fr-CA") as bound:
        assert (bound, current_request_id(), current_traceparent(), current_locale()) == (
            "req-1",
            "req-1",
            trace,
            Locale.FR,
        )
        with bind_request("inner"):
            assert current_request_id() == "inner"
        assert current_request_id() == "req-1"

    assert (current_request_id(), current_traceparent(), current_locale()) == ("", "", Locale.EN)


@pytest.mark.parametrize("sent", ["", None, "a" * 65, "a b", "a\nb", "é", "<script>", "a\n"])
def test_a_malformed_request_id_is_replaced(sent):
    with bind_request(sent) as bound:
        assert bound != sent
        assert len(bound) == 32


@pytest.mark.parametrize("sent", ["00-" + "0" * 32 + "-00f067aa0ba902b7-01", "ff-x", "00-4BF92F-1-01", "x" * 10_000])
def test_a_malformed_trace_is_replaced(sent):
    with bind_request(traceparent=sent):
        assert current_traceparent() != sent
        assert len(current_traceparent()) == 55


def test_every_line_of_a_request_carries_its_id(lines):
    with bind_request("req-one"):
        structlog.get_logger("x").info("ours")
        logging.getLogger("theirs").warning("theirs")

    assert all("req-one" in line for line in lines())


def test_celery_carries_the_context_to_the_task():
    from celery import Celery

    from shared.telemetry.celery import connect

    connect()
    app = Celery(broker="memory://", backend="cache+memory://")
    app.conf.broker_transport_options = {"polling_interval": 0.05}
    seen = []

    @app.task
    def look() -> None:
        seen.append((current_request_id(), current_locale()))

    from celery.contrib.testing.worker import start_worker

    with start_worker(app, perform_ping_check=False, pool="solo", shutdown_timeout=10):
        with bind_request("req-sent", locale="fr"):
            look.apply_async()
        from shared.testing import eventually

        eventually(lambda: seen)

    assert seen == [("req-sent", Locale.FR)]
