"""What one caller may ask for; the figures of the platform's design, each by its variable."""

from ipaddress import ip_network

from shared.settings.env import env, refuse
from shared.settings.security import max_body_bytes, trusted_proxies

MAX_BODY_BYTES = max_body_bytes()
MAX_HEADER_BYTES = env.positive("MAX_HEADER_BYTES", default=16_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

GRAPHQL_MAX_DEPTH = env.positive("GRAPHQL_MAX_DEPTH", default=15)
GRAPHQL_MAX_ALIASES = env.positive("GRAPHQL_MAX_ALIASES", default=30)
GRAPHQL_MAX_DIRECTIVES = env.positive("GRAPHQL_MAX_DIRECTIVES", default=50)
GRAPHQL_MAX_TOKENS = env.positive("GRAPHQL_MAX_TOKENS", default=2_000)
GRAPHQL_MAX_BYTES = env.positive("GRAPHQL_MAX_BYTES", default=32_768)
GRAPHQL_MAX_COST = env.positive("GRAPHQL_MAX_COST", default=5_000)
# How long an operation may take in all; each RPC of it takes less.
GRAPHQL_SECONDS = env.float("GRAPHQL_SECONDS", default=10.0)

SOCKET_LIMIT = env.positive("SOCKET_LIMIT", default=20)
SOCKET_INIT_SECONDS = env.float("SOCKET_INIT_SECONDS", default=5.0)
TOKEN_LEEWAY_SECONDS = env.positive("TOKEN_LEEWAY_SECONDS", default=30)

try:
    TRUSTED_PROXIES = tuple(ip_network(one, strict=False) for one in trusted_proxies())
except ValueError:
    refuse("TRUSTED_PROXIES is malformed: addresses or networks are expected")
