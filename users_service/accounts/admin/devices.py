"""Where a request of staff comes from."""

from django.http import HttpRequest

from shared.http.addresses import client_ip
from users_service.accounts.contracts import Device


def device_of(request: HttpRequest) -> Device:
    """Return the address and the browser of a request."""
    return Device(ip_address=client_ip(request), user_agent=request.headers.get("User-Agent", ""))
