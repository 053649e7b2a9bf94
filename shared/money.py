"""Money: a Decimal with its currency in code, integer minor units with an ISO 4217 code on the wire.

Money is never a float.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final

# ISO 4217 currencies whose minor unit is not the hundredth.
_EXPONENTS: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}

# The currencies of ISO 4217 that people pay with: without metals, units of account and codes for tests. BGN stays until
# no price is in it.
CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP
    LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB
    PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
    TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER
    ZAR ZMW ZWG
    """.split()
)


def exponent(currency: str) -> int:
    """Return how many decimal places `currency` has."""
    return _EXPONENTS.get(currency, 2)


_QUANTA: Final = {places: Decimal(1).scaleb(-places) for places in (0, 2, 3)}


def _quantum(currency: str) -> Decimal:
    """Return the minor unit of `currency`: 0.01 for most."""
    return _QUANTA[exponent(currency)]


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were combined. This is a bug, not a mistake of the user."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount of one currency, with the precision of its minor unit."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        amount = self.amount.quantize(_quantum(self.currency))
        if self.amount != amount:
            raise ValueError(f"{self.amount} {self.currency} is finer than the currency's minor unit")
        object.__setattr__(self, "amount", amount)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> "Money":
        """Return the amount of `minor` minor units."""
        return cls(Decimal(minor).scaleb(-exponent(currency)), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Return an amount of zero."""
        return cls(Decimal(0), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> "Money":
        """Return `amount` rounded half up to the currency's minor unit."""
        return cls(amount.quantize(_quantum(currency), rounding=ROUND_HALF_UP), currency)

    @property
    def minor(self) -> int:
        """The amount in minor units."""
        return int(self.amount.scaleb(exponent(self.currency)))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, count: int) -> "Money":
        return Money(self.amount * count, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def share(self, percent: int | Decimal) -> "Money":
        """Return `percent` per cent of the amount, rounded once, half up."""
        return Money.rounded(self.amount * percent / 100, self.currency)

    def convert(self, rate: Decimal, currency: str) -> "Money":
        """Return the amount in `currency`, rounded half up.

        `rate` is the units of `currency` for one unit of this currency.
        """
        return Money.rounded(self.amount * rate, currency)

    def allocate(self, weights: Sequence[int | Decimal]) -> list["Money"]:
        """Split the amount by `weights`. The parts sum to the whole: the largest remainders get the odd minor units.

        Raises ValueError if the weights do not sum to more than zero.
        """
        total = sum(Decimal(weight) for weight in weights)
        if total <= 0:
            raise ValueError("weights must sum to more than zero")
        exact = [Decimal(self.minor) * Decimal(weight) / total for weight in weights]
        floors = [int(part.to_integral_value(rounding=ROUND_DOWN)) for part in exact]
        odd = self.minor - sum(floors)
        step = 1 if odd >= 0 else -1
        by_remainder = sorted(range(len(exact)), key=lambda i: abs(exact[i] - floors[i]), reverse=True)
        for index in by_remainder[: abs(odd)]:
            floors[index] += step
        return [Money.from_minor(part, self.currency) for part in floors]

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount
