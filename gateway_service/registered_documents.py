"""The documents that a gateway runs, if it runs only registered ones."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from shared.settings.env import refuse


def sha256(document: str) -> str:
    """Return the hash by which clients name a document, 64 hex digits."""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()


def registered_documents(path: str) -> Mapping[str, str] | None:
    """Return the documents of a file by their hash, or None without a path. A file that does not fit ends the start."""
    if not path:
        return None
    try:
        documents = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        refuse(f"GRAPHQL_DOCUMENTS_FILE cannot be read: {path}: {error}")
    if not isinstance(documents, dict) or not all(
        isinstance(text, str) and sha256(text) == digest for digest, text in documents.items()
    ):
        refuse(f"GRAPHQL_DOCUMENTS_FILE must be a JSON object of documents by their SHA-256: {path}")
    return documents
