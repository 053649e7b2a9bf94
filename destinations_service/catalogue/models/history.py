"""The history of the catalogue: each row as it was before a change, written by triggers of PostgreSQL.

A trigger sees every write, also a set-based one that no Python code of this service has made. It stores the row as it
was (OLD), with the time, the transaction and the context that `services.authored` has set. The present row is the last
state, so that a row which never changed has no history.

Derived columns (popularity, search columns, copies of seats, versions and times) are not tracked: a write that changes
nothing else costs one comparison for each row. Inserts are recorded only if a member of staff makes them, because an
import or a seed of 150,000 places would write as many rows again.
"""

from typing import Any, Final

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Func

from destinations_service.catalogue.models.places import (
    AveragePrice,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    OpeningHours,
    Photo,
)
from destinations_service.catalogue.models.trips import (
    CancellationRule,
    Departure,
    ItineraryDay,
    ItineraryDayTranslation,
    Trip,
    TripTranslation,
)

# The key of the context that names a member of staff. The condition of insert triggers looks for it.
STAFF: Final = "staff"
_BY_STAFF = pgtrigger.Condition(
    f"""strpos(current_setting('pghistory.context_metadata', true), '"{STAFF}"') > 0"""  # NULL outside a context
)
TRACKED: Final[dict[type[models.Model], tuple[str, ...]]] = {
    Destination: (
        "id", "slug", "kind", "parent", "country_code", "latitude", "longitude", "time_zone", "population", "tags",
        "currency", "season_from_month", "season_to_month",
    ),
    DestinationTranslation: ("id", "destination", "language", "name", "summary", "description"),
    OpeningHours: ("id", "destination", "weekday", "opens", "closes"),
    Photo: ("id", "destination", "trip", "alt_en", "alt_fr", "credit", "license", "position"),
    AveragePrice: ("id", "destination", "category", "amount", "currency", "as_of", "source", "is_sample"),
    ExchangeRate: ("id", "currency", "rate", "as_of", "source"),
    Trip: (
        "id", "slug", "destination", "duration_days", "currency", "tax_basis_points", "languages", "maximum_group",
        "minimum_group", "minimum_days_before", "booking_opens_days", "booking_closes_hours", "meeting_latitude",
        "meeting_longitude",
    ),
    TripTranslation: (
        "id", "trip", "language", "title", "description", "included", "excluded", "meeting_point",
    ),
    ItineraryDay: ("id", "trip", "day", "destination"),
    ItineraryDayTranslation: ("id", "itinerary_day", "language", "title", "description"),
    CancellationRule: ("id", "trip", "days_before", "refund_percent"),
    Departure: (
        "id", "trip", "starts_at", "ends_at", "time_zone", "status", "capacity", "adult_price", "child_price",
        "change_reason",
    ),
}  # fmt: skip


def history_of(model: type[models.Model]) -> Any:
    """Return the model of the history of `model`: the tracked columns, and `pgh_*` about the change."""
    return _MODELS[model]


def _track(model: type[models.Model], fields: tuple[str, ...]) -> Any:
    """Create the table of the history of `model`, with its triggers."""
    return pghistory.create_event_model(
        model,
        pghistory.InsertEvent(condition=_BY_STAFF),
        pghistory.UpdateEvent(row=pghistory.Old),
        pghistory.DeleteEvent(),
        fields=list(fields),
        model_name=f"{model.__name__}Change",
        abstract=False,
        obj_field=pghistory.ObjForeignKey(related_name="+", related_query_name="+"),
        context_field=pghistory.ContextJSONField(),
        context_id_field=pghistory.ContextUUIDField(),
        # PostgreSQL fills it in. What one transaction changed is one entry of the history.
        attrs={
            "pgh_transaction": models.BigIntegerField(
                db_default=Func(function="txid_current", output_field=models.BigIntegerField()), editable=False
            )
        },
        meta={"verbose_name": f"{model._meta.verbose_name} before a change"},
    )


_MODELS: Final[dict[type[models.Model], Any]] = {model: _track(model, fields) for model, fields in TRACKED.items()}
