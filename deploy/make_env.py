"""Prints a `.env` with new secrets for compose.yaml: `.venv/bin/python deploy/make_env.py > .env`."""

import base64
import json
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SERVICES = ("users", "destinations", "bookings", "notifications", "gateway")
SECRETS = ("SIGNING_KEYS_SECRET", "REFRESH_TOKEN_SECRET", "DOCUMENT_LINK_SECRET", "PAYMENT_WEBHOOK_SECRET")


def main() -> None:
    """Print the variables, one on each line."""
    keys = {name: Ed25519PrivateKey.generate() for name in SERVICES}
    public = {name: base64.b64encode(key.public_key().public_bytes_raw()).decode() for name, key in keys.items()}
    variables = {
        **{f"{name.upper()}_SECRET_KEY": secrets.token_urlsafe(50) for name in SERVICES},
        **{name: secrets.token_urlsafe(32) for name in SECRETS},
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "VALKEY_PASSWORD": secrets.token_urlsafe(24),
        "ADMIN_PASSWORD": secrets.token_urlsafe(12),
        "DEMO_PASSWORD": secrets.token_urlsafe(12),
        **{f"{name.upper()}_DATABASE_PASSWORD": secrets.token_urlsafe(24) for name in SERVICES if name != "gateway"},
        **{
            f"{name.upper()}_PRIVATE_KEY": base64.b64encode(key.private_bytes_raw()).decode()
            for name, key in keys.items()
        },
        "SERVICE_PUBLIC_KEYS": f"'{json.dumps(public)}'",
    }
    for name, value in variables.items():
        print(f"{name}={value}")


if __name__ == "__main__":
    main()
