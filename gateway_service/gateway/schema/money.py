"""Amounts of money, as clients read and send them, and their conversion to another currency."""

from collections.abc import Mapping, Sequence
from decimal import Decimal as PyDecimal
from typing import Final

import graphene

from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.schema.base import Info, MessageObject
from gateway_service.gateway.schema.columns import Column, ColumnResolver, applied
from gateway_service.gateway.schema.scalars import Decimal
from shared.errors import Invalid
from shared.money import Money as Amount
from shared.money import exponent
from shared.rpc.mapping import money_from_proto

EURO: Final = "EUR"
MAX_MINOR: Final = 2**63 - 1  # minor_units is an int64


class Money(MessageObject):
    amount = Decimal(required=True)
    currency = graphene.String(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_amount(roots: Sequence[common_pb2.Money | Amount], info: Info) -> list[PyDecimal | str]:
        return [
            root.amount if isinstance(root, Amount) else digits(root.minor_units, root.currency_code) for root in roots
        ]

    @staticmethod
    @ColumnResolver
    def resolve_currency(roots: Sequence[common_pb2.Money | Amount], info: Info) -> list[str]:
        return [root.currency if isinstance(root, Amount) else root.currency_code for root in roots]


def digits(minor: int, currency: str) -> str:
    """Return the amount of `minor` minor units as a decimal number."""
    places = exponent(currency)
    if not places:
        return str(minor)
    whole, part = divmod(abs(minor), 10**places)
    return f"{'-' if minor < 0 else ''}{whole}.{part:0{places}d}"


class MoneyInput(graphene.InputObjectType):
    amount = Decimal(required=True)
    currency = graphene.String(required=True)


def money_from_input(value: MoneyInput | None, field: str) -> common_pb2.Money | None:
    """Return an amount that a client sent, or None for None.

    Raises Invalid for a malformed currency, for an amount that is negative or above MAX_MINOR, and for an amount with
    more decimals than the currency has.
    """
    if value is None:
        return None
    currency = value.currency
    if not (currency.isascii() and currency.isalpha() and currency.isupper() and len(currency) == 3):
        raise Invalid(field=f"{field}.currency")
    minor = value.amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value() or not 0 <= minor <= MAX_MINOR:
        raise Invalid(field=f"{field}.amount")
    return common_pb2.Money(minor_units=int(minor), currency_code=currency)


async def convert(amounts: Sequence[common_pb2.Money], currency: str, info: Info) -> Column:
    """Return each amount in `currency` at the latest rates, or None in its place if its own currency has no rate.

    Raises Invalid if `currency` has no rate.
    """
    rates = await info.context.loaders.exchange_rates.load(EURO)
    if currency != EURO and currency not in rates:
        raise Invalid(field="currency")

    def converted(money: common_pb2.Money) -> Amount | None:
        if money.currency_code != EURO and money.currency_code not in rates:
            return None
        rate = _per_euro(rates, currency) / _per_euro(rates, money.currency_code)
        return money_from_proto(money).convert(rate, currency)

    return [applied(converted, money) for money in amounts]


def _per_euro(rates: Mapping[str, destinations_pb2.ExchangeRate], currency: str) -> PyDecimal:
    return PyDecimal(1) if currency == EURO else PyDecimal(rates[currency].rate)
