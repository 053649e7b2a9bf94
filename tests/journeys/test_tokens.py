"""Forged access tokens (abuse cases 1-6): each is UNAUTHENTICATED with one same message, never treated as signed out."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ME = "{ me { email } }"


def encoded(part):
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def published(traveller):
    """The key that users_service publishes, as a JWK."""
    answer = traveller.http.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    [key, *_] = answer.json()["keys"]
    assert (key["kty"], key["crv"], "d" in key) == ("OKP", "Ed25519", False)
    return key


@pytest.fixture
def claims(traveller):
    """The claims of a token that is good now."""
    return jwt.decode(traveller.token, options={"verify_signature": False})


@pytest.fixture
def refused(visitor):
    """Send a token everywhere and see it refused the same way."""

    def check(token):
        visitor.token = token
        answer = visitor.graphql(ME)
        assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
        assert not (answer.data or {}).get("me")
        rest = visitor.rest("GET", "/api/v1/bookings/")
        assert rest.status_code == 401
        assert rest.headers["content-type"].startswith("application/problem+json")
        return answer.errors[0]["message"]

    return check


@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
def test_a_token_without_a_signature(refused, claims, published, alg):
    refused(f"{encoded({'alg': alg, 'typ': 'JWT', 'kid': published['kid']})}.{encoded(claims)}.")


@pytest.mark.parametrize("encode", ["pem", "raw", "jwk"])
def test_the_published_key_is_no_shared_secret(refused, claims, published, encode):
    raw = base64.urlsafe_b64decode(published["x"] + "==")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    pem = Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = {"pem": pem, "raw": raw, "jwk": json.dumps(published).encode()}[encode]
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': published['kid']})}.{encoded(claims)}"

    refused(f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}")


@pytest.mark.parametrize(
    "kid", ["../../../../dev/null", "' OR 1=1 --", "A" * 4096, "", "\x00", 7, None, ["a"], {"a": 1}]
)
def test_a_key_id_is_a_name_and_nothing_else(refused, claims, kid):
    header = {"alg": "EdDSA", "typ": "JWT", "kid": kid}
    signed = f"{encoded(header)}.{encoded(claims)}"

    refused(f"{signed}.{encoded(Ed25519PrivateKey.generate().sign(signed.encode()))}")


def test_a_key_brought_along_is_not_taken(refused, claims, published):
    own = Ed25519PrivateKey.generate()
    public = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    header = {
        "alg": "EdDSA",
        "typ": "JWT",
        "kid": published["kid"],
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": encoded(public), "kid": published["kid"]},
    }
    signed = f"{encoded(header)}.{encoded(claims)}"

    refused(f"{signed}.{encoded(own.sign(signed.encode()))}")


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_a_key_s_address_is_not_visited(refused, claims, published, name):
    own = Ed25519PrivateKey.generate()
    visits = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(1.0)

        def listen():
            try:
                visits.append(listener.accept())
            except TimeoutError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/jwks.json"
        signed = f"{encoded({'alg': 'EdDSA', 'typ': 'JWT', 'kid': published['kid'], name: address})}.{encoded(claims)}"
        refused(f"{signed}.{encoded(own.sign(signed.encode()))}")
        thread.join()
    assert visits == []


def test_a_right_header_over_changed_claims(refused, traveller, claims):
    header, _, signature = traveller.token.split(".")

    refused(f"{header}.{encoded({**claims, 'sub': str(uuid.uuid4())})}.{signature}")
    refused(f"{header}.{encoded({**claims, 'exp': int(time.time()) + 10**6})}.{signature}")


def test_a_refresh_token_opens_nothing(refused, traveller):
    refused(traveller.refresh_token)
    assert traveller.graphql(ME).field("me")["email"] == traveller.email


def test_an_access_token_refreshes_nothing(traveller, visitor):
    refresh = "mutation ($token: String!) { refreshTokens(refreshToken: $token) { accessToken refreshToken errors { code } } }"

    payload = visitor.graphql(refresh, token=traveller.token).field("refreshTokens")

    assert [error["code"] for error in payload["errors"]] == ["TOKEN_INVALID"]
    assert payload["accessToken"] is payload["refreshToken"] is None
    assert traveller.graphql(ME).field("me")["email"] == traveller.email


def test_every_bad_token_is_told_the_same(refused, traveller, claims, published):
    header, payload, _ = traveller.token.split(".")
    bad = [
        "x",
        "a.b.c",
        "é",
        f"{header}.{payload}.",
        f"{header}.{payload}.{encoded(b'0' * 64)}",
        f"{encoded({'alg': 'none'})}.{encoded(claims)}.",
        "A" * 8000,
    ]

    messages = {refused(token) for token in bad if token.isascii()}

    assert len(messages) == 1


@pytest.mark.parametrize("scheme", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Token abc", "Bearer a b"])
def test_a_header_that_is_no_bearer_token_is_not_signed_out(visitor, scheme):
    answer = visitor.http.post("/graphql", json={"query": ME}, headers={"Authorization": scheme.strip()})

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
