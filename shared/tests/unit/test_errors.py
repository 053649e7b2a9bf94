"""One table maps every refusal to every protocol, and a refusal survives the wire."""

import grpc
import pytest

from shared import errors
from shared.errors import Conflict, InFlight, KeyReused, RateLimited, RemoteRefusal, protocols_of
from shared.text import Locale, Text


class SeatsGone(Conflict):
    code = "TEST_SEATS_GONE"
    text = Text(en="Only {seatsLeft} left.", fr="Plus que {seatsLeft}.")


def test_a_refusal_speaks_both_languages():
    refusal = SeatsGone(seatsLeft=2)

    assert refusal.localized(Locale.EN) == "Only 2 left."
    assert refusal.localized(Locale.FR) == "Plus que 2."


def test_the_nearest_ancestor_decides_the_protocol():
    assert protocols_of(SeatsGone(seatsLeft=1)).http == 409
    assert protocols_of(KeyReused()).http == 422
    assert protocols_of(InFlight()).grpc is grpc.StatusCode.ABORTED


def test_every_branch_has_an_entry():
    branches = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.DomainError)]

    assert {cls for cls in branches if cls.code == "INTERNAL"} == {errors.DomainError, errors._Retryable}
    assert set(errors.PROTOCOLS) <= set(branches)


def test_a_refusal_is_rebuilt_as_its_own_class_with_the_message_that_was_sent():
    rebuilt = RemoteRefusal.rebuild(
        code="TEST_SEATS_GONE",
        status=grpc.StatusCode.FAILED_PRECONDITION,
        message="Plus que 2 {sic}.",
        field="seats",
        params={"seatsLeft": 2},
    )

    assert type(rebuilt) is SeatsGone
    assert rebuilt.params == {"seatsLeft": 2}
    assert rebuilt.field == "seats"
    assert rebuilt.localized(Locale.EN) == "Plus que 2 {sic}."


def test_an_unknown_code_keeps_its_name_on_the_right_branch():
    rebuilt = RemoteRefusal.rebuild(
        code="NEW_IN_2027", status=grpc.StatusCode.RESOURCE_EXHAUSTED, message="x", field=None, params={"retryAfter": 7}
    )

    assert isinstance(rebuilt, RateLimited)
    assert (rebuilt.code, rebuilt.retry_after) == ("NEW_IN_2027", 7)


def test_one_code_cannot_mean_two_things():
    with pytest.raises(TypeError, match="one code, one meaning"):
        type("Other", (errors.NotFound,), {"code": "TEST_SEATS_GONE"})


def test_a_missing_parameter_does_not_hide_the_refusal():
    assert SeatsGone().localized(Locale.EN) == "Only seatsLeft left."
