"""Refusals of values that do not fit the schema say what is expected, and never repeat a value."""

import json
from typing import Any

import pytest
from django.test import override_settings

from gateway_service.tests.backends import Backends

SECRET = "hunter2-hunter2"
REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { ok } }"
FIELDS = {"email": "a@b.c", "firstName": "Ann", "lastName": "Lee", "acceptTerms": True}


@pytest.fixture(params=[True, False], ids=["development", "production"])
def debug(request: Any) -> Any:
    with override_settings(DEBUG=request.param):
        yield


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {**FIELDS, "password": [SECRET]},
            "Variable '$input.password': a value of type 'String!' is expected.",
        ),
        (
            {**FIELDS, "password": {"text": SECRET}, "locale": SECRET},
            "Variable '$input.password': a value of type 'String!' is expected.",
        ),
        (
            {**FIELDS, "password": SECRET, "locale": SECRET},
            "Variable '$input.locale': a value of type 'Locale' is expected.",
        ),
        (
            {**FIELDS, "password": SECRET, "acceptTerms": SECRET},
            "Variable '$input.acceptTerms': a value of type 'Boolean!' is expected.",
        ),
        (
            {**FIELDS, "passwort": SECRET},
            "Variable '$input': Field 'password' of required type 'String!' was not provided.",
        ),
        ({**FIELDS, "password": None}, "Variable '$input.password': a value of type 'String!' is expected."),
        (SECRET, "Variable '$input': a value of type 'RegisterInput!' is expected."),
        (None, "Variable '$input': a value of type 'RegisterInput!' is expected."),
    ],
)
async def test_a_wrong_variable_is_named_and_not_repeated(
    value: Any, message: str, ask: Any, backends: Backends, debug: None
) -> None:
    """Seen failing (`Variable '$input' got invalid value {'email': …, 'password': …}`) without the texts of values.py."""
    answer = await ask(REGISTER, input=value)

    assert answer["errors"][0]["message"] == message
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert SECRET not in json.dumps(answer)
    assert backends.calls.total() == 0


async def test_a_missing_variable_and_one_of_a_list_are_named(ask: Any) -> None:
    tags = "query($tags: [String!]) { destinations(tags: $tags) { totalCount } }"

    missing, listed = await ask(REGISTER), await ask(tags, tags=["sea", {"x": SECRET}])

    assert missing["errors"][0]["message"] == "Variable '$input': a value of type 'RegisterInput!' is required."
    assert listed["errors"][0]["message"] == "Variable '$tags[1]': a value of type 'String!' is expected."


@pytest.mark.parametrize(
    "query",
    [
        f'mutation {{ login(email: 7, password: ["{SECRET}"]) {{ accessToken }} }}',
        f'mutation {{ login(email: "a", password: {{text: "{SECRET}"}}) {{ accessToken }} }}',
        f'mutation {{ login(email: "a", password: "b", useCookie: "{SECRET}") {{ accessToken }} }}',
        f'mutation {{ register(input: "{SECRET}") {{ ok }} }}',
        f'mutation {{ register(input: {{password: "{SECRET}", locale: "{SECRET}"}}) {{ ok }} }}',
        f'mutation {{ updateProfile(input: {{dateOfBirth: "{SECRET}"}}) {{ ok }} }}',
        f'mutation($p: Int = "{SECRET}") {{ login(email: "a", password: "b") {{ accessToken }} }}',
        f'mutation {{ login(email: "a" "{SECRET}") {{ accessToken }} }}',
        f'mutation {{ login(email: "a" """{SECRET}""") {{ accessToken }} }}',
        "mutation { login(email: 7, password: hunter2) { accessToken } }",
        f'mutation {{ login(email: "a" {SECRET}) {{ accessToken }} }}',
    ],
)
async def test_no_literal_is_repeated(query: str, ask: Any, backends: Backends, debug: None) -> None:
    """Seen failing (`String cannot represent a non string value: […]`) with graphql-core's own rule, and
    (`Expected Name, found String …`) without without_values.
    """
    answer = await ask(query)

    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert "hunter2" not in json.dumps(answer)
    assert backends.calls.total() == 0
