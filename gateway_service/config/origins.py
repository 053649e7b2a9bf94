"""Read a list of web origins from the environment."""

from typing import Final
from urllib.parse import urlsplit

from shared.settings.env import env, refuse

_PORTS: Final = {"http": 80, "https": 443}


def origins(name: str) -> frozenset[str]:
    """Return the origins that the variable `name` lists, as browsers write them: none without it.

    Ends the process for anything else, such as `*`, a path or the scheme's own port.
    """
    listed = frozenset(origin.strip() for origin in env.list(name, default=[]) if origin.strip())
    for origin in listed:
        if not _is_origin(origin):
            refuse(f"{name} is malformed: origins such as https://www.example.com are expected")
    return listed


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in _PORTS or not parts.hostname or "*" in text or port == _PORTS[parts.scheme]:
        return False
    return text.isascii() and text == f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port else "")
