"""Settings of destinations_service. Every value comes from the environment."""

from pathlib import Path

from shared.settings import base
from shared.settings.env import env

_common = base.with_admin(
    "destinations",
    apps=["pgtrigger", "pghistory", "shared.outbox", "shared.inbox", "destinations_service.catalogue"],
    title="Catalogue",
    symbol="travel_explore",
    description="Places, photos, prices, trips and their departures.",
)
globals().update(_common)
MIDDLEWARE = [*_common["MIDDLEWARE"], "destinations_service.catalogue.admin.authors.AuthorMiddleware"]

MEDIA_ROOT = Path(env.str("MEDIA_ROOT")) / "destinations"
# Links to photos use this address: the gateway's, or in production a CDN's.
MEDIA_URL_BASE = env.str("MEDIA_PUBLIC_URL", default=env.str("PUBLIC_URL", default="http://localhost:8000"))
# The row is locked while its change is recorded, so this clock puts the changes of a row in their order. NOW() is the
# start of the transaction, and the later of two starts may commit first.
PGHISTORY_CREATED_AT_FUNCTION = "clock_timestamp()"
