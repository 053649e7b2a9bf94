"""The page on which a person approves or declines a payment. It stands for the page of a bank."""

from html import escape

from starlette.responses import HTMLResponse

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;background:#f3f4f6;display:grid;"
    "place-items:center;min-height:100vh;margin:0}"
    "main{background:#fff;border-radius:12px;padding:2rem 2.5rem;box-shadow:0 8px 30px #0002;max-width:24rem}"
    "h1{font-size:1.2rem;margin:0 0 .5rem}p{color:#4b5563}.amount{font-size:1.8rem;font-weight:700;color:#111827}"
    "button{font:inherit;padding:.6rem 1.4rem;border-radius:8px;border:1px solid #d1d5db;background:#fff;"
    "margin-right:.6rem;cursor:pointer}"
    "button[value=approve]{background:#2563eb;border-color:#2563eb;color:#fff}"
)


def _page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><main><h1>{escape(title)}</h1>{body}</main></html>",
        status_code=status,
        headers=_HEADERS,
    )


def decision_form(*, amount_minor: int, currency: str) -> HTMLResponse:
    """Return the page that asks for the decision."""
    return _page(
        "Sandbox Bank: confirm your payment",
        f'<p class="amount">{amount_minor / 100:.2f} {escape(currency)}</p>'
        "<p>No money moves here: this page stands for your bank's.</p>"
        '<form method="post"><button name="decision" value="approve">Approve</button>'
        '<button name="decision" value="decline">Decline</button></form>',
    )


def decided(*, status: str) -> HTMLResponse:
    """Return the page that shows the payment's status after the decision."""
    return _page(f"Payment {status}", "<p>You can close this page.</p>")


def unknown() -> HTMLResponse:
    """Return the page for an unknown link."""
    return _page("Nothing here", "<p>This link is not, or no longer, valid.</p>", status=404)
