"""The catalogue's rules, on values alone."""

import math

import pytest

from destinations_service.catalogue.domain import Near, check_near, check_search, fold, kilometres
from shared.errors import Invalid


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Île-de-France", "ile-de-france"), ("  SÃO   Paulo ", "sao paulo"), ("Łódź", "łodz"), ("", "")],
)
def test_search_sees_neither_case_nor_accents(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize("text", ["x" * 101, "a\x00b", "a\nb", "x" * 10_240])
def test_a_search_that_is_no_name_is_refused(text):
    with pytest.raises(Invalid) as refused:
        check_search(text)

    assert refused.value.field == "search"


@pytest.mark.parametrize(
    "near",
    [
        Near(91, 0, 1), Near(0, -181, 1), Near(math.nan, 0, 1), Near(0, math.inf, 1), Near(0, 0, -1), Near(0, 0, 0),
        Near(0, 0, math.nan), Near(0, 0, 30_000),
    ],
)  # fmt: skip
def test_a_circle_off_the_globe_is_refused(near):
    with pytest.raises(Invalid):
        check_near(near)


def test_distances_are_great_circles():
    assert kilometres(Near(48.8566, 2.3522, 1), 51.5074, -0.1278) == pytest.approx(343.6, abs=0.5)
