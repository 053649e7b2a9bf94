"""The rules of addresses, passwords and profiles."""

from datetime import date

import pytest

from shared.errors import DomainError
from users_service.accounts import domain
from users_service.accounts.passwords import common_passwords

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    "typed",
    ["admin@travel.example", "ADMIN@Travel.Example", " admin@travel.example ", "\uff21dmin@travel.example", "admi\u207f@travel.example"],
)  # fmt: skip
def test_every_spelling_of_an_address_folds_to_the_same_text(typed):
    assert domain.clean_email(typed) == "admin@travel.example"


@pytest.mark.parametrize(
    "typed",
    ["", "ann", "ann@", "@example.org", "аdmin@travel.example", "αnn@example.org", "a\x00b@example.org", "a b@example.org",
     "ann@example.org\r\nBcc: x@example.org", "x" * 300 + "@example.org", "ann@-example.org", "ann@exa_mple.org"],
)  # fmt: skip
def test_a_malformed_or_imitating_address_is_refused(typed):
    with pytest.raises(domain.InvalidEmail):
        domain.clean_email(typed)


@pytest.mark.parametrize(
    "password",
    ["Short-1!", "password123", "Password123", "ann.marie@example.org", "ANN.MARIE@example.org", "x" * 129,
     "aaaaaaaaaaaa", "é" * 1_000_000, ""],
)  # fmt: skip
def test_weak_passwords_are_refused(password):
    with pytest.raises(domain.WeakPassword):
        domain.check_password_strength(password, email="ann.marie@example.org", common=common_passwords())


def test_a_long_password_with_spaces_and_emoji_is_accepted():
    password = ("correct horse 🐎 battery 🔋 staple " * 8)[:128]

    domain.check_password_strength(password, email="ann@example.org", common=common_passwords())


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"first_name": "Ann\x00"}, "INVALID_NAME", "firstName"),
        ({"first_name": "Ann\ud800"}, "INVALID_NAME", "firstName"),
        ({"first_name": "Ann\u202e"}, "INVALID_NAME", "firstName"),
        ({"first_name": "a" * 151}, "INVALID_NAME", "firstName"),
        ({"first_name": "Ann\r\nBcc: victim@example.org"}, "INVALID_NAME", "firstName"),
        ({"first_name": '{{ 7*7 }}{% include "x" %}<script>alert(1)</script>'}, "INVALID_NAME", "firstName"),
        ({"last_name": '#read("/etc/passwd") ]'}, "INVALID_NAME", "lastName"),
        ({"time_zone": "../../etc/localtime"}, "INVALID_TIME_ZONE", "timeZone"),
        ({"time_zone": ""}, "INVALID_TIME_ZONE", "timeZone"),
        ({"currency": "XXX"}, "INVALID_CURRENCY", "currency"),
        ({"currency": "xxx"}, "INVALID_CURRENCY", "currency"),
        ({"nationality": "ZZ"}, "INVALID_COUNTRY", "nationality"),
        ({"date_of_birth": "2026-11-24"}, "INVALID_DATE", "dateOfBirth"),
        ({"date_of_birth": "1899-12-31"}, "INVALID_DATE", "dateOfBirth"),
        ({"date_of_birth": "2001-02-29"}, "INVALID_DATE", "dateOfBirth"),
        ({"phone": "+33 1"}, "INVALID_PHONE", "phone"),
        ({"phone": "call me"}, "INVALID_PHONE", "phone"),
    ],
)
def test_a_bad_profile_is_refused_with_code_and_field(changes, code, field):
    with pytest.raises(DomainError) as refused:
        domain.clean_profile(changes, today=TODAY)

    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_profile_is_normalised():
    changes = {"first_name": " Zoe\u0308 ", "phone": "+33 6 12 34 56 78", "nationality": "fr", "currency": "chf",
               "date_of_birth": "1990-02-28", "time_zone": "Europe/Paris", "locale": "FR"}  # fmt: skip

    assert domain.clean_profile(changes, today=TODAY) == {
        "first_name": "Zoë", "phone": "+33612345678", "nationality": "FR", "currency": "CHF",
        "date_of_birth": date(1990, 2, 28), "time_zone": "Europe/Paris", "locale": "FR",
    }  # fmt: skip
