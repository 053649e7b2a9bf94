"""A verified token is remembered, and still refused as soon as anything about it has changed."""

import json
import time

import jwt
import pytest

from shared.auth import remembered_traveller, tokens, verify_access_token
from shared.auth.revocations import revocations
from shared.auth.testing import install, mint_access_token
from shared.errors import Unauthenticated, Unavailable
from shared.ids import uuid7


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    for name in ("TRAVEL_JWKS_FILE", "SERVICE_PUBLIC_KEYS", "SERVICE_PRIVATE_KEYS"):
        monkeypatch.setenv(name, "")
    install(tmp_path)
    return tmp_path / "jwks.json"


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Return the tokens whose signature was verified so far."""
    seen: list[str] = []
    decode = jwt.decode

    def counting(token, *given, **options):
        seen.append(token)
        return decode(token, *given, **options)

    monkeypatch.setattr(tokens.jwt, "decode", counting)
    return seen


def test_a_token_is_verified_once(decoded):
    """Seen failing (three signatures verified) without the memory of verified tokens."""
    token = mint_access_token()

    travellers = [verify_access_token(token) for _ in range(3)]

    assert decoded == [token]
    assert travellers[0] == travellers[2]


def test_a_remembered_token_of_an_ended_session_is_refused():
    """Seen failing (accepted) when the session was looked up only at the verification."""
    session = uuid7()
    token = mint_access_token(session_id=session)
    verify_access_token(token)

    revocations.note(session, until=time.time() + 60)

    with pytest.raises(Unauthenticated):
        verify_access_token(token)


def test_a_remembered_token_of_a_withdrawn_key_is_refused(keys):
    """Seen failing (accepted) without the comparison of the key in `holds`."""
    token = mint_access_token()
    verify_access_token(token)

    keys.write_text(json.dumps({"keys": []}))
    assert tokens.key_set().refetch()

    with pytest.raises((Unauthenticated, Unavailable)):
        verify_access_token(token)


def test_a_remembered_token_expires(monkeypatch):
    """Seen failing (accepted) without the comparison of the time in `holds`."""
    monkeypatch.setenv("TOKEN_LEEWAY_SECONDS", "0")
    token = mint_access_token(exp=int(time.time()) + 2)
    verify_access_token(token)

    time.sleep(2.1)

    with pytest.raises(Unauthenticated):
        verify_access_token(token)


def test_another_signature_of_the_same_claims_is_verified(decoded):
    token = mint_access_token()
    verify_access_token(token)
    head, claims, signature = token.split(".")

    with pytest.raises(Unauthenticated):
        verify_access_token(f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}")

    assert len(decoded) == 2


def test_the_memory_is_bounded(monkeypatch, decoded):
    """Seen failing (nothing is forgotten) without the bound."""
    monkeypatch.setattr(tokens, "MAX_VERIFIED", 3)
    many = [mint_access_token() for _ in range(6)]

    for token in [*many, many[0], many[-1]]:
        verify_access_token(token)

    assert decoded == [*many, many[0]]
    assert len(tokens._verified_tokens._tokens) == 3


def test_a_token_is_remembered_only_once_it_was_verified():
    token = mint_access_token()
    assert remembered_traveller(token) is None

    traveller = verify_access_token(token)

    assert remembered_traveller(token) == traveller


@pytest.mark.parametrize("token", ["", "no token", "x" * 5_000, "\ud800"])
def test_no_malformed_token_is_remembered(token):
    assert remembered_traveller(token) is None


def test_a_remembered_traveller_is_forgotten_with_the_session():
    """Seen failing (the traveller) without the look at the ended sessions."""
    session = uuid7()
    token = mint_access_token(session_id=session)
    verify_access_token(token)

    revocations.note(session, until=time.time() + 60)

    assert remembered_traveller(token) is None


def test_a_remembered_traveller_is_forgotten_with_the_key_and_nobody_waits_for_a_fetch(keys, monkeypatch):
    """Seen failing (a fetch, then Unavailable) without the question whether the key is there."""
    token = mint_access_token()
    verify_access_token(token)
    keys.write_text(json.dumps({"keys": []}))
    assert tokens.key_set().refetch()
    fetches: list[str] = []
    monkeypatch.setattr(tokens.key_set(), "_fetch", lambda: (fetches.append("fetch"), b"")[1])

    assert remembered_traveller(token) is None
    assert fetches == []


def test_a_remembered_traveller_is_forgotten_when_the_token_expires(monkeypatch):
    """Seen failing (the traveller) without `holds`."""
    monkeypatch.setenv("TOKEN_LEEWAY_SECONDS", "0")
    token = mint_access_token(exp=int(time.time()) + 2)
    verify_access_token(token)

    time.sleep(2.1)

    assert remembered_traveller(token) is None
