"""Short-lived links to a document. Whoever has a link may fetch that PDF for fifteen minutes."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing

from shared.errors import NotFound

LIFETIME: Final = timedelta(minutes=15)
_SALT: Final = "billing.invoice.pdf"


def pdf_url(invoice_id: UUID) -> str:
    """Return a link to the document at the platform's public address. It works for LIFETIME."""
    token = _signer().sign(invoice_id.hex).split(":", 1)[1]
    return f"{settings.PUBLIC_URL.rstrip('/')}/api/v1/invoices/{invoice_id}/pdf/?token={token}"


def check(*, invoice_id: UUID, token: str) -> None:
    """Check a link's token. Raises NotFound if it is for another document, was altered or is older than LIFETIME."""
    try:
        _signer().unsign(f"{invoice_id.hex}:{token}", max_age=LIFETIME)
    except signing.BadSignature:
        raise NotFound from None


def _signer() -> signing.TimestampSigner:
    newest, *former = settings.DOCUMENT_LINK_SECRETS
    return signing.TimestampSigner(key=newest, fallback_keys=[*former], salt=_SALT)
