"""Forged access tokens: each is refused as UNAUTHENTICATED with the same message, never as a visitor."""

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
    """The claims of a valid token."""
    return jwt.decode(traveller.token, options={"verify_signature": False})


@pytest.fixture
def message_of_refusal(visitor):
    """Return a function that checks that GraphQL and REST refuse a token, and returns the message."""

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
def test_a_token_without_a_signature_is_refused(message_of_refusal, claims, published, alg):
    message_of_refusal(f"{encoded({'alg': alg, 'typ': 'JWT', 'kid': published['kid']})}.{encoded(claims)}.")


@pytest.mark.parametrize("encode", ["pem", "raw", "jwk"])
def test_the_published_key_is_not_accepted_as_a_shared_secret(message_of_refusal, claims, published, encode):
    raw = base64.urlsafe_b64decode(published["x"] + "==")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    pem = Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = {"pem": pem, "raw": raw, "jwk": json.dumps(published).encode()}[encode]
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': published['kid']})}.{encoded(claims)}"

    message_of_refusal(f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}")


@pytest.mark.parametrize(
    "kid", ["../../../../dev/null", "' OR 1=1 --", "A" * 4096, "", "\x00", 7, None, ["a"], {"a": 1}]
)
def test_an_unknown_key_id_is_refused(message_of_refusal, claims, kid):
    header = {"alg": "EdDSA", "typ": "JWT", "kid": kid}
    signed = f"{encoded(header)}.{encoded(claims)}"

    message_of_refusal(f"{signed}.{encoded(Ed25519PrivateKey.generate().sign(signed.encode()))}")


def test_a_key_inside_the_token_is_not_used(message_of_refusal, claims, published):
    own = Ed25519PrivateKey.generate()
    public = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    header = {
        "alg": "EdDSA",
        "typ": "JWT",
        "kid": published["kid"],
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": encoded(public), "kid": published["kid"]},
    }
    signed = f"{encoded(header)}.{encoded(claims)}"

    message_of_refusal(f"{signed}.{encoded(own.sign(signed.encode()))}")


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_a_key_address_inside_the_token_is_not_fetched(message_of_refusal, claims, published, name):
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
        message_of_refusal(f"{signed}.{encoded(own.sign(signed.encode()))}")
        thread.join()
    assert visits == []


def test_changed_claims_are_refused(message_of_refusal, traveller, claims):
    header, _, signature = traveller.token.split(".")

    message_of_refusal(f"{header}.{encoded({**claims, 'sub': str(uuid.uuid4())})}.{signature}")
    message_of_refusal(f"{header}.{encoded({**claims, 'exp': int(time.time()) + 10**6})}.{signature}")


def test_a_refresh_token_is_not_an_access_token(message_of_refusal, traveller):
    message_of_refusal(traveller.refresh_token)
    assert traveller.graphql(ME).field("me")["email"] == traveller.email


def test_an_access_token_is_not_a_refresh_token(traveller, visitor):
    refresh = "mutation ($token: String!) { refreshTokens(refreshToken: $token) { accessToken refreshToken errors { code } } }"

    payload = visitor.graphql(refresh, token=traveller.token).field("refreshTokens")

    assert [error["code"] for error in payload["errors"]] == ["TOKEN_INVALID"]
    assert payload["accessToken"] is payload["refreshToken"] is None
    assert traveller.graphql(ME).field("me")["email"] == traveller.email


def test_every_invalid_token_gets_the_same_message(message_of_refusal, traveller, claims, published):
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

    messages = {message_of_refusal(token) for token in bad if token.isascii()}

    assert len(messages) == 1


@pytest.mark.parametrize("scheme", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Token abc", "Bearer a b"])
def test_a_malformed_authorization_header_is_refused(visitor, scheme):
    answer = visitor.http.post("/graphql", json={"query": ME}, headers={"Authorization": scheme.strip()})

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
