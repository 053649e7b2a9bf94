"""Relay's global ids, for a client that uses both GraphQL and REST."""

import base64


def raw_id(global_id: str) -> str:
    """Return the id within `base64("Type:id")`."""
    return base64.b64decode(global_id).decode().partition(":")[2]
