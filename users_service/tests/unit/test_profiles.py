"""The rules of profiles."""

from datetime import date

import pytest

from shared.errors import DomainError
from users_service.accounts import domain

TODAY = date(2026, 11, 23)


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
        ({"phone": "+1 900 555 1234"}, "INVALID_PHONE", "phone"),  # premium rate
        ({"phone": "+979 123 456 789"}, "INVALID_PHONE", "phone"),
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
