"""What this service alone decides."""

from pathlib import Path

from shared.settings.env import env

MEDIA_ROOT = Path(env.str("MEDIA_ROOT")) / "destinations"
# Photos are linked by this address: the gateway's, which serves them on; in production a CDN's.
MEDIA_URL_BASE = env.str("MEDIA_PUBLIC_URL", default=env.str("PUBLIC_URL", default="http://localhost:8000"))
