"""Every service sees the traveller's own address, whatever way the request takes and whatever it claims."""

import sys

import httpx
import jwt
import psycopg
import pytest

from tests.journeys.api import address
from tests.journeys.travellers import Traveller

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have only 127.0.0.1")
LIES = {"X-Forwarded-For": "203.0.113.99", "X-Real-IP": "203.0.113.99", "Forwarded": "for=203.0.113.99"}
LOGIN = """mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { accessToken errors { code } } }"""


def at(source: str, base: str = "PUBLIC_URL") -> httpx.Client:
    """Return a client at the loopback address `source`, which lies about where it is."""
    url = address(base).replace("localhost", "127.0.0.1")
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=source), headers=LIES, timeout=20)


def sign_in(client: httpx.Client, traveller: Traveller, password: str = "") -> httpx.Response:
    body = {"email": traveller.email, "password": password or traveller.password}
    return client.post("/api/v1/auth/login/", json=body)


def stored(access_token: str) -> str:
    """Return the address that the token's session has in the database of users_service."""
    session = jwt.decode(access_token, options={"verify_signature": False})["sid"]
    with psycopg.connect(address("USERS_DATABASE_URL")) as connection:
        row = connection.execute("SELECT host(ip_address) FROM accounts_session WHERE id = %s", [session]).fetchone()
    assert row
    return str(row[0])


def test_a_session_stores_the_address_of_the_traveller():
    """By GraphQL, by the façade and directly. Seen failing: 203.0.113.99 from the loopback by the façade without
    `--no-proxy-headers`, 127.0.0.2 by the façade without TRUSTED_PROXIES.
    """
    traveller = Traveller.register()
    variables = {"email": traveller.email, "password": traveller.password}
    by_graphql = at("127.0.0.31").post("/graphql", json={"query": LOGIN, "variables": variables}).json()
    by_rest = sign_in(at("127.0.0.32"), traveller).json()
    by_rest_from_the_loopback = sign_in(at("127.0.0.1"), traveller).json()
    directly = sign_in(at("127.0.0.33", "USERS_URL"), traveller).json()
    from_the_loopback = sign_in(at("127.0.0.1", "USERS_URL"), traveller).json()

    assert stored(by_graphql["data"]["login"]["accessToken"]) == "127.0.0.31"
    assert stored(by_rest["access_token"]) == "127.0.0.32"
    assert stored(by_rest_from_the_loopback["access_token"]) == "127.0.0.1"
    assert stored(directly["access_token"]) == "127.0.0.33"
    assert stored(from_the_loopback["access_token"]) == "127.0.0.1"


def test_failures_of_one_person_never_lock_out_another():
    """Seen failing (429 for the owner) without TRUSTED_PROXIES."""
    traveller = Traveller.register()
    guesser = at("127.0.0.41")

    statuses = [sign_in(guesser, traveller, "a wrong password").status_code for _ in range(11)]

    assert statuses == [401] * 10 + [429]
    assert sign_in(at("127.0.0.42"), traveller).status_code == 200


def test_a_direct_client_cannot_escape_its_limit_by_naming_other_addresses():
    """Seen failing (401 eleven times) with 127.0.0.1 among TRUSTED_PROXIES."""
    traveller = Traveller.register()
    guesser = at("127.0.0.1", "USERS_URL")
    statuses = []
    for number in range(11):
        guesser.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        statuses.append(sign_in(guesser, traveller, "a wrong password").status_code)

    assert statuses == [401] * 10 + [429]
