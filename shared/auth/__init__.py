"""Who the caller is: a traveller with an access token of users_service, or a service with its own credential.

Both are verified offline. `tokens` and `jwks` verify travellers, `credentials` verifies services, and `drf` is for REST
views.
"""

from shared.auth.credentials import service_credential, verify_service_credential
from shared.auth.tokens import Traveller, remembered_traveller, verify_access_token

__all__ = [
    "Traveller",
    "remembered_traveller",
    "service_credential",
    "verify_access_token",
    "verify_service_credential",
]
