"""Which host names the gateway answers."""

from django.conf import settings
from django.http.request import split_domain_port, validate_host


def is_known(host: str) -> bool:
    """Return whether ALLOWED_HOSTS contains the name in a Host header, as Django decides it."""
    name, _ = split_domain_port(host)
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS)
