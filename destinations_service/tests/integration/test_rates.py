"""Exchange rates: dated, from a file, and what follows from them: costs and comparisons."""

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from destinations_service.catalogue import selectors, services
from destinations_service.catalogue.contracts import DestinationDetails, DestinationQuery, TripQuery
from destinations_service.catalogue.models import Destination, ExchangeRate
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.errors import Invalid
from shared.money import Money
from shared.outbox.models import OutboxEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ghana():
    """A place that is priced in cedis, of which 15 are a euro."""
    ExchangeRate.objects.create(currency="GHS", rate=Decimal(15), as_of=date(2026, 11, 1), source="a test")
    return DestinationFactory(slug="ghana", country_code="GH", currency="GHS", daily_cost=1_500)


def write(tmp_path, text, *options):
    file = tmp_path / "rates.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    call_command("update_rates", str(file), *options, stdout=io.StringIO())


def cost(place):
    return Destination.objects.get(id=place.id).daily_cost_eur


def test_saving_without_a_change_keeps_the_daily_cost(ghana):
    services.save_destination(destination_id=ghana.id, details=DestinationDetails())

    assert cost(ghana) == Decimal(100)


def test_new_rates_change_the_costs_and_are_published(ghana, tmp_path):
    write(tmp_path, "currency,rate,as_of,source\nGHS,20,2026-11-20,Bank of Ghana\n")

    assert cost(ghana) == Decimal(75)
    assert OutboxEvent.objects.get().type == "travel.destinations.exchange_rates.changed.v1"

    write(tmp_path, "currency,rate,as_of,source\nGHS,20,2026-11-20,Bank of Ghana\n")
    assert OutboxEvent.objects.count() == 1
    write(tmp_path, "currency,rate,as_of,source\nGHS,21,2026-11-20,Bank of Ghana\n")
    assert ExchangeRate.objects.get(as_of=date(2026, 11, 20)).rate == 21


def test_the_xml_of_the_central_bank_is_read(ghana, tmp_path):
    xml = (
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
        ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube><Cube time="2026-11-27">'
        '<Cube currency="USD" rate="1.1583"/><Cube currency="JPY" rate="181.12"/></Cube></Cube></gesmes:Envelope>'
    )

    write(tmp_path, xml, "--ecb")

    assert ExchangeRate.objects.get(currency="JPY").rate == Decimal("181.12")


TOMORROW = (timezone.now() + timedelta(days=1)).date().isoformat()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("currency,rate,as_of\nUSD,1,2026-11-20\n", "columns source are missing"),
        ("currency,rate,as_of,source\nZZZ,1,2026-11-20,x\n", "Line 2: The currency must be a code of ISO 4217"),
        ("currency,rate,as_of,source\nEUR,1,2026-11-20,x\n", "Line 2: The currency must be a code of ISO 4217"),
        ("currency,rate,as_of,source\nUSD,0,2026-11-20,x\n", "Line 2: The rate must be above 0"),
        ("currency,rate,as_of,source\nUSD,NaN,2026-11-20,x\n", "Line 2: The rate must be above 0"),
        ("currency,rate,as_of,source\nUSD,1e30,2026-11-20,x\n", "Line 2: The rate must be above 0"),
        ("currency,rate,as_of,source\nUSD,1e999999,2026-11-20,x\n", "Line 2: The rate must be above 0"),
        ("currency,rate,as_of,source\nUSD,1,2026-11-20,a\0b\n", "source must have 1 to 200 printable"),
        ("currency,rate,as_of,source\nUSD,abc,2026-11-20,x\n", "Line 2: the rate 'abc' is not a number"),
        ("currency,rate,as_of,source\nUSD,1,20.11.2026,x\n", "Line 2: the date '20.11.2026' is not like"),
        (f"currency,rate,as_of,source\nUSD,1,{TOMORROW},x\n", "Line 2: The day of a rate must not be after"),
        ("currency,rate,as_of,source\nUSD,1,2026-11-20,\n", "Line 2: the source must have"),
        (
            "currency,rate,as_of,source\nUSD,1,2026-11-20,x\nUSD,1,2026-11-20,x\n",
            "Line 3: USD of 2026-11-20 is there twice",
        ),
        ("currency,rate,as_of,source\nGHS,30,2026-11-20,x\n", "GHS was 15 for one euro and would be 30"),
        ("currency,rate,as_of,source\n", "has no rates"),
        ("", "columns currency, rate, as_of, source are missing"),
        (b"currency,rate,as_of,source\nUSD,1,2026-11-20,\xff\n", "is not UTF-8: byte"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_and_nothing_is_written(ghana, tmp_path, text, words):
    before = list(ExchangeRate.objects.values_list("currency", "rate"))

    with pytest.raises(CommandError) as refusal:
        write(tmp_path, text)

    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert list(ExchangeRate.objects.values_list("currency", "rate")) == before
    assert not OutboxEvent.objects.exists()


def test_a_jump_can_be_forced(ghana, tmp_path):
    write(tmp_path, "currency,rate,as_of,source\nGHS,30,2026-11-20,x\n", "--force")

    assert cost(ghana) == Decimal(50)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("update_rates", str(tmp_path / "none.csv"))


def test_xml_with_entities_is_refused(tmp_path):
    with pytest.raises(CommandError, match="document type"):
        write(tmp_path, '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "--ecb")


def test_a_price_without_a_rate_is_in_no_comparison():
    """Seen failing (the trip for 10 leones counted as 10 euros) when an unknown currency counted as euros."""
    unknown = DepartureFactory(trip=TripFactory(currency="SLE"), adult_price=Decimal(10)).trip
    known = DepartureFactory(adult_price=Decimal(100)).trip
    by_price = selectors.search_trips(query=TripQuery(order="PRICE"), first=20, after="")
    cheap = selectors.search_trips(query=TripQuery(max_price=Money(Decimal(50), "EUR")), first=20, after="")

    assert [view.id for view in by_price.views] == [known.id, unknown.id]
    assert by_price.views[1].from_price == Money(Decimal(10), "SLE")
    assert cheap.views == []


@pytest.mark.parametrize("currency", ["SLE", "ZZZ"])
def test_a_comparison_in_a_currency_without_a_rate_is_refused_in_words(currency):
    with pytest.raises(Invalid, match="there is no exchange rate for it"):
        selectors.search_destinations(
            query=DestinationQuery(max_daily_cost=Money(Decimal(5), currency)), first=20, after=""
        )
