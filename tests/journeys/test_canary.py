"""The last journey: no log of the run has what the travellers typed or were given. See `planted`."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.journeys.api import Client, address
from tests.journeys.planted import Kind, planted
from tests.journeys.travellers import PASSENGERS, Traveller

# What no log may have, whoever it belongs to: password hashes, signed tokens, passwords in URLs, and mail addresses.
# Only the address of the seeded staff account is public.
FORMS: Final = {
    "password hash": re.compile(r"argon2(?:id?|d)?\$"),
    "signed token": re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}"),
    "mail address": re.compile(
        r"(?<![\w.+%-])(?!admin@travel\.example)[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE
    ),
    "credential in a URL": re.compile(r"://[^\s/:@]*:(?!\*+@)[^\s/@\[]+@"),
    "refused row": re.compile(r"Key \([^)]*\)=\((?!\[redacted)|Failing row contains \("),
}
# The end of a token is enough: a log may have cut off its beginning.
TOKENS: Final = (Kind.ACCESS_TOKEN, Kind.REFRESH_TOKEN, Kind.LINK)
END: Final = 24


def logs() -> Iterator[Path]:
    """Yield every log of the platform under test, and of the infrastructure of this run's other suites."""
    own = Path(address("TRAVEL_VAR"))
    for folder in (own / "log", *(own.with_name(name) / "log" for name in ("infrastructure", "infrastructure-2"))):
        yield from sorted(folder.glob("*.log*"))


def leaks(text: str) -> list[str]:
    """Return what was found in a log, as kinds and forms: the message of this test is a log too."""
    typed = [
        kind
        for kind, values in planted.items()
        if any((value[-END:] if kind in TOKENS else value).lower() in text.lower() for value in values)
    ]
    return [*typed, *(name for name, form in FORMS.items() if form.search(text))]


def provoke(traveller: Traveller, other: Traveller) -> None:
    """Send what a service might write to its log: refused rows, wrong types, secrets in addresses, in wrong places."""
    visitor = Client()
    name, password = traveller.last_name, traveller.password
    visitor.rest("POST", "/api/v1/auth/login/", json={"email": traveller.email, "password": [password, name]})
    visitor.rest("POST", "/api/v1/auth/login/", content=f'{{"email": "{traveller.email}", "password": "{password}')
    visitor.rest("GET", f"/api/v1/destinations/?email={traveller.email}&password={password}&{name}=1")
    visitor.rest("GET", f"/api/v1/{name}/{traveller.email}/{password}/")
    visitor.rest("GET", "/api/v1/bookings/", headers={"Authorization": f"Bearer x{traveller.token}"})
    visitor.graphql(f"query ($a: Int!) {{ node(id: $a) {{ {name} }} }}", a=password)
    visitor.graphql("mutation ($t: String!) { verifyEmail(token: $t) { ok } }", t=str(traveller.token))
    traveller.rest("PATCH", "/api/v1/profile/", json={"last_name": name * 50, "phone": traveller.email})
    refused_by_the_database = (
        ("UPDATE accounts_user SET email = %s WHERE email = %s", [other.email, traveller.email]),
        ("UPDATE accounts_user SET password = NULL WHERE email = %s", [traveller.email]),
    )
    with psycopg.connect(address("USERS_DATABASE_URL"), autocommit=True) as connection:
        for statement, parameters in refused_by_the_database:
            with pytest.raises(psycopg.errors.IntegrityError):
                connection.execute(statement, parameters)


def test_no_log_has_what_people_typed_or_were_given():
    """Seen failing in postgres.log with the log settings of PostgreSQL itself instead of postgres.SILENT, and (nothing
    planted) without `plant`.
    """
    provoke(Traveller.register(), Traveller.register())
    files = list(logs())

    assert {kind for kind in Kind if planted[kind]} == set(Kind), "the journeys planted nothing to look for"
    assert {"users.web.log", "users.rpc.log", "gateway.web.log", "postgres.log"} <= {file.name for file in files}
    assert any(file.stat().st_size for file in files if file.name == "users.web.log")
    assert PASSENGERS[0]["lastName"] in planted[Kind.NAME]

    found = {f"{file.parent.parent.name}/{file.name}": leaks(file.read_text(errors="replace")) for file in files}

    assert {file: kinds for file, kinds in found.items() if kinds} == {}


def test_a_leak_would_be_found():
    """Each kind and form is recognised in a line such as a careless log call writes."""
    Traveller.register()
    for kind, values in planted.items():
        assert kind in leaks(f"12:00:00 signed in with {next(iter(values))!r}, status 200")
    for name, line in {
        "password hash": "params: argon2$argon2id$v=19$m=19456",
        "signed token": "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0",
        "mail address": "Key: ann@travel.example exists",
        "credential in a URL": "cannot reach postgres://users:secret@127.0.0.1:8032/users",
        "refused row": "DETAIL:  Key (email)=(x) already exists.",
    }.items():
        assert name in leaks(line)


def test_only_the_owner_may_read_what_the_run_wrote():
    folder = Path(address("TRAVEL_VAR"))
    private = [folder / name for name in ("log", "mail", "sms", "valkey", "kafka", "media", "run", "secrets")]
    written = [
        path for part in ("log", "mail", "sms", "valkey") for path in (folder / part).rglob("*") if path.exists()
    ]

    assert [path for path in private if path.stat().st_mode & 0o077] == []
    assert [path for path in written if path.stat().st_mode & 0o077] == []
    assert any(os.scandir(folder / "mail" / "new"))
