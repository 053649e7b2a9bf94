"""The services behind the gateway, and the address the public knows it by."""

from urllib.parse import urlsplit

from gateway_service.config.settings.base import DEBUG
from shared.settings.env import env

PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
SERVICE_URLS = {
    name: env.str(f"{name.upper()}_URL").rstrip("/") for name in ("users", "destinations", "bookings", "notifications")
}
for _name in SERVICE_URLS:
    env.str(f"{_name.upper()}_GRPC")
env.str("KAFKA_BOOTSTRAP_SERVERS")
REDIS_URL = env.str("REDIS_URL")
JWKS_URL = env.str("JWKS_URL")

# Pages that may use the refresh token's cookie: the public address, and in development the loopback's other name.
_parts = urlsplit(PUBLIC_URL)
OWN_ORIGINS = {f"{_parts.scheme}://{_parts.netloc}"}
if DEBUG:
    OWN_ORIGINS |= {f"http://{host}:{_parts.port or 80}" for host in ("localhost", "127.0.0.1")}
