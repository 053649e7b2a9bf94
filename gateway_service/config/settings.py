"""Settings of gateway_service: no database, no sessions, no admin. Every value comes from the environment."""

from pathlib import Path
from urllib.parse import urlsplit

from gateway_service.config.origins import origins
from gateway_service.registered_documents import registered_documents
from shared.settings import base, security
from shared.settings.env import env

globals().update(base.every("gateway"))

ASGI_APPLICATION = "gateway_service.config.asgi.application"
INSTALLED_APPS = [
    "gateway_service.gateway",  # before graphene-django, whose command it replaces
    "django.contrib.staticfiles",
    "graphene_django",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = ["gateway_service.gateway.transport.middleware.GatewayMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES: dict[str, dict[str, object]] = {}
APPEND_SLASH = False

# These checks want Django's own middleware, which is synchronous and would take a thread for each request.
# GatewayMiddleware sets the same headers. CSRF tokens are not needed: the forms of the pages use no cookie, and
# the Origin header is checked before the only cookie is used.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
COOKIES_SECURE = security.https().on or not security.debug()

GRAPHENE = {
    "SCHEMA": "gateway_service.gateway.schema.schema",
    "SCHEMA_OUTPUT": str(Path(__file__).resolve().parents[1] / "schema.graphql"),
}

# ---------------------------------------------------------------- limits of one request
# MAX_BODY_BYTES applies to every service. It is read in shared/settings/security.py.
MAX_HEADER_BYTES = env.whole_number("MAX_HEADER_BYTES", default=16_000)

GRAPHQL_MAX_DEPTH = env.whole_number("GRAPHQL_MAX_DEPTH", default=15)
GRAPHQL_MAX_ALIASES = env.whole_number("GRAPHQL_MAX_ALIASES", default=30)
GRAPHQL_MAX_DIRECTIVES = env.whole_number("GRAPHQL_MAX_DIRECTIVES", default=50)
GRAPHQL_MAX_TOKENS = env.whole_number("GRAPHQL_MAX_TOKENS", default=2_000)
GRAPHQL_MAX_BYTES = env.whole_number("GRAPHQL_MAX_BYTES", default=32_768)
GRAPHQL_MAX_COST = env.whole_number("GRAPHQL_MAX_COST", default=5_000)
# What a traveller's, or a network's, operations may cost in a minute, in objects. 0 is no limit.
GRAPHQL_COST_LIMIT_TRAVELLER = env.whole_number("GRAPHQL_COST_LIMIT_TRAVELLER", default=60_000)
GRAPHQL_COST_LIMIT_NETWORK = env.whole_number("GRAPHQL_COST_LIMIT_NETWORK", default=600_000)
# A JSON object of documents by their SHA-256. If set, only these run.
GRAPHQL_DOCUMENTS = registered_documents(env.str("GRAPHQL_DOCUMENTS_FILE", default=""))
# The time that a whole operation may take. Each of its RPCs takes less.
GRAPHQL_SECONDS = env.float("GRAPHQL_SECONDS", default=10.0)

# The memory for the catalogue's rows that each process remembers. With 0 it remembers none.
CATALOGUE_CACHE_MB = env.whole_number("CATALOGUE_CACHE_MB", default=64)

PAGE_LIMIT_NETWORK = env.whole_number("PAGE_LIMIT_NETWORK", default=60)
SOCKET_LIMIT = env.whole_number("SOCKET_LIMIT", default=20)
SOCKET_INIT_SECONDS = env.float("SOCKET_INIT_SECONDS", default=5.0)
TOKEN_LEEWAY_SECONDS = env.whole_number("TOKEN_LEEWAY_SECONDS", default=30)

# ---------------------------------------------------------------- the services behind the gateway
SERVICE_URLS = {
    name: env.str(f"{name.upper()}_URL").rstrip("/") for name in ("users", "destinations", "bookings", "notifications")
}
# The address from which the gateway calls them. The services trust what it says about clients (TRUSTED_PROXIES).
FACADE_SOURCE_ADDRESS = env.str("FACADE_SOURCE_ADDRESS", default="")
for _name in SERVICE_URLS:
    env.str(f"{_name.upper()}_GRPC")
env.str("KAFKA_BOOTSTRAP_SERVERS")
REDIS_URL = env.str("REDIS_URL")
JWKS_URL = env.str("JWKS_URL")

# Pages of these origins may use the cookie of the refresh token. In development, localhost and 127.0.0.1 are added.
_public = urlsplit(security.public_url())
OWN_ORIGINS = {f"{_public.scheme}://{_public.netloc}"}
if security.debug():
    OWN_ORIGINS |= {f"http://{host}:{_public.port or 80}" for host in ("localhost", "127.0.0.1")}
# Pages of these origins too may call GraphQL and REST from a browser, and use that cookie.
CORS_ORIGINS = origins("CORS_ORIGINS")
