"""Convert price lines, policies and texts to the JSON that quotes and bookings store, and back."""

from collections.abc import Iterable
from typing import Any

from bookings_service.bookings.contracts import CancellationRule, PriceLine
from shared.money import Money
from shared.text import Text


def lines_to_json(lines: Iterable[PriceLine]) -> list[dict[str, Any]]:
    """Return price lines as JSON, amounts in minor units."""
    return [
        {
            "label": {"en": line.label.en, "fr": line.label.fr},
            "quantity": line.quantity,
            "unit_price": line.unit_price.minor,
            "total": line.total.minor,
            "tax": line.tax.minor,
        }
        for line in lines
    ]


def lines_from_json(lines: Iterable[dict[str, Any]], currency: str) -> tuple[PriceLine, ...]:
    """Return price lines from their JSON."""
    return tuple(
        PriceLine(
            label=Text(**line["label"]),
            quantity=line["quantity"],
            unit_price=Money.from_minor(line["unit_price"], currency),
            total=Money.from_minor(line["total"], currency),
            tax=Money.from_minor(line["tax"], currency),
        )
        for line in lines
    )


def policy_to_json(policy: Iterable[CancellationRule]) -> list[dict[str, int]]:
    """Return a policy as JSON."""
    return [{"days_before": rule.days_before, "refund_percent": rule.refund_percent} for rule in policy]


def policy_from_json(policy: Iterable[dict[str, int]]) -> tuple[CancellationRule, ...]:
    """Return a policy from its JSON, the rule with the most days first."""
    return tuple(sorted((CancellationRule(**rule) for rule in policy), key=lambda rule: -rule.days_before))


def texts_to_json(texts: Iterable[Text]) -> list[dict[str, str]]:
    """Return texts as JSON."""
    return [{"en": text.en, "fr": text.fr} for text in texts]


def texts_from_json(texts: Iterable[dict[str, str]]) -> tuple[Text, ...]:
    """Return texts from their JSON."""
    return tuple(Text(**text) for text in texts)
