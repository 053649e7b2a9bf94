"""Only tokens that users_service signed for this platform are accepted, and every bad token gets the same answer."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.auth import Traveller, verify_access_token, verify_service_credential
from shared.auth.jwks import jwk_of
from shared.auth.revocations import revocations
from shared.auth.testing import KID, credential_of, install, mint_access_token, service_keys, traveller_key
from shared.errors import Unauthenticated
from shared.ids import uuid7


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "bookings_service.config.settings")
    for name in ("TRAVEL_JWKS_FILE", "SERVICE_PUBLIC_KEYS", "SERVICE_PRIVATE_KEYS"):
        monkeypatch.setenv(name, "")
    install(tmp_path)


def forged(header: dict, claims: dict | None = None, signature: bytes = b"") -> str:
    now = int(time.time())
    payload = claims or {"sub": str(uuid7()), "exp": now + 300, "iat": now}

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return ".".join((part(json.dumps(header).encode()), part(json.dumps(payload).encode()), part(signature)))


def test_a_valid_token_identifies_its_traveller():
    user, session = uuid7(), uuid7()
    token = mint_access_token(user, session_id=session, roles=["support"])

    traveller = verify_access_token(token)

    assert traveller == Traveller(
        user, session, frozenset({"support"}), token, traveller.expires_at, traveller.authenticated_at
    )
    assert token not in repr(traveller)


@pytest.mark.parametrize(("auth_time", "seconds"), [(1_700_000_000, 1_700_000_000), (None, 0)])
def test_a_token_says_when_its_traveller_was_authenticated(auth_time, seconds):
    assert verify_access_token(mint_access_token(auth_time=auth_time)).authenticated_at == seconds


def test_the_token_of_an_ended_session_is_refused():
    """Seen failing (accepted) without revocations.has_ended in verify_access_token."""
    session = uuid7()
    token = mint_access_token(session_id=session)
    assert verify_access_token(token)

    revocations.note(session, until=time.time() + 330)

    with pytest.raises(Unauthenticated):
        verify_access_token(token)
    assert verify_access_token(mint_access_token())


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "HS256", "RS256", ""])
def test_other_algorithms_are_refused(alg):
    with pytest.raises(Unauthenticated):
        verify_access_token(forged({"alg": alg, "typ": "JWT", "kid": KID}))


def test_the_public_key_is_not_accepted_as_a_secret():
    pem = traveller_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = forged({"alg": "HS256", "kid": KID}).rsplit(".", 1)[0]
    signature = hmac.new(pem, unsigned.encode(), hashlib.sha256).digest()
    token = f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    with pytest.raises(Unauthenticated):
        verify_access_token(token)


@pytest.mark.parametrize("kid", ["../../../../dev/null", "' OR 1=1 --", "A" * 4096, "", None, 7])
def test_a_malformed_key_name_is_treated_as_an_unknown_key(kid):
    token = jwt.encode({"sub": "x"}, traveller_key(), algorithm="EdDSA", headers={"kid": KID})
    header, payload, signature = token.split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "EdDSA", "kid": kid}).encode()).rstrip(b"=").decode()

    with pytest.raises(Unauthenticated):
        verify_access_token(f"{header}.{payload}.{signature}")


def test_keys_in_the_token_are_ignored():
    """The server that `jku` names gets no connection."""
    seen = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own = Ed25519PrivateKey.generate()
    now = int(time.time())
    claims = {"sub": str(uuid7()), "sid": str(uuid7()), "token_use": "access", "iss": "travel.users", "aud": "travel",
              "iat": now, "exp": now + 60}  # fmt: skip
    for extra in ({"jwk": jwk_of("own", own.public_key())}, {"jku": f"http://127.0.0.1:{server.server_port}/"}):
        token = jwt.encode(claims, own, algorithm="EdDSA", headers={"kid": "own", **extra})
        with pytest.raises(Unauthenticated):
            verify_access_token(token)
    server.shutdown()

    assert seen == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"}, {"iss": "another"}, {"exp": None}, {"exp": int(time.time()) - 90}, {"nbf": int(time.time()) + 3600},
        {"token_use": "refresh"}, {"token_use": None}, {"sub": "1"}, {"auth_time": "x"}, {"sid": None}, {"iat": None}, {"sub": ["x"]},
    ],
)  # fmt: skip
def test_every_claim_is_checked(claims):
    with pytest.raises(Unauthenticated) as refused:
        verify_access_token(mint_access_token(**claims))

    assert str(refused.value) == str(Unauthenticated())


def test_clocks_may_differ_by_half_a_minute():
    now = int(time.time())

    assert verify_access_token(mint_access_token(exp=now - 20))
    assert verify_access_token(mint_access_token(nbf=now + 20))


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "\x00", "é" * 10, "A" * 100_000])
def test_malformed_tokens_get_the_same_refusal(token):
    with pytest.raises(Unauthenticated):
        verify_access_token(token)


def test_a_credential_identifies_the_service_that_signed_it():
    assert verify_service_credential(credential_of("gateway", "bookings")) == "gateway"


@pytest.mark.parametrize(
    "credential",
    [
        lambda: credential_of("gateway", "users"),
        lambda: credential_of("gateway", "bookings", now=time.time() - 1000),
        lambda: mint_access_token(aud="bookings", iss="gateway"),
        lambda: "",
        lambda: "a.b.c",
    ],
)
def test_any_other_credential_is_refused(credential):
    with pytest.raises(Unauthenticated):
        verify_service_credential(credential())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["bookings", "users"]},
        {"exp": int(time.time()) + 3_600},
        {"iat": 0},
        {"exp": 2**63},
        {"exp": str(2**63)},
        {"exp": float("inf")},
    ],
)
def test_a_credential_for_long_or_for_several_services_is_refused(changes):
    """Whoever once makes a service sign one could use it everywhere, for ever.

    Seen failing (accepted) without strict_aud, and without the comparison with LIFETIME_SECONDS.
    """
    now = int(time.time())
    claims = {"iss": "gateway", "aud": "bookings", "iat": now, "exp": now + 300, "token_use": "service", **changes}

    with pytest.raises(Unauthenticated):
        verify_service_credential(jwt.encode(claims, service_keys()["gateway"], algorithm="EdDSA"))


def test_a_cached_credential_still_expires(monkeypatch):
    """Seen failing with the expiry checked only where the signature is verified, which happens once."""
    credential = credential_of("gateway", "bookings", now=time.time() - 400)
    monkeypatch.setenv("TOKEN_LEEWAY_SECONDS", "900")
    assert verify_service_credential(credential) == "gateway"

    monkeypatch.setenv("TOKEN_LEEWAY_SECONDS", "30")

    with pytest.raises(Unauthenticated):
        verify_service_credential(credential)
