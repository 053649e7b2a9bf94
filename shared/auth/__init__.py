"""Who asks: travellers by the access tokens of users_service, services by credentials of their own. Both verified offline.

`tokens` and `jwks` verify travellers, `credentials` services; `drf` and `staff` bring them to REST and to the admin.
"""

from shared.auth.credentials import service_credential, verify_service_credential
from shared.auth.tokens import Traveller, verify_access_token

__all__ = ["Traveller", "service_credential", "verify_access_token", "verify_service_credential"]
