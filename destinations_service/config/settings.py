"""Settings of destinations_service. Every value comes from the environment."""

from pathlib import Path

from shared.settings import base
from shared.settings.env import env

globals().update(
    base.with_admin(
        "destinations",
        apps=["pgtrigger", "pghistory", "shared.outbox", "shared.inbox", "destinations_service.catalogue"],
        title="Catalogue",
        symbol="travel_explore",
        description="Places, photos, prices, trips and their departures.",
    )
)

MEDIA_ROOT = Path(env.str("MEDIA_ROOT")) / "destinations"
# Links to photos use this address: the gateway's, or in production a CDN's.
MEDIA_URL_BASE = env.str("MEDIA_PUBLIC_URL", default=env.str("PUBLIC_URL", default="http://localhost:8000"))
