"""Documents that a client names by their SHA-256 instead of sending them.

By default a client registers a document by sending it once together with its hash ("automatic persisted queries", as
Apollo's clients do). If GRAPHQL_DOCUMENTS_FILE is set, only the documents of that file run, by hash or as text.
"""

import re
from collections.abc import Mapping
from typing import Final

from cachetools import LRUCache
from django.conf import settings
from graphql import GraphQLError

from gateway_service.gateway.execution.errors import InvalidRequest, bad_input
from gateway_service.registered_documents import sha256

MAX_REGISTERED_BYTES: Final = 4_000_000
_NOT_FOUND: Final = {"code": "PERSISTED_QUERY_NOT_FOUND"}
_NOT_REGISTERED: Final = {"code": "DOCUMENT_NOT_REGISTERED"}
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

_registered: Final[LRUCache[str, str]] = LRUCache(maxsize=MAX_REGISTERED_BYTES, getsizeof=len)


def document_text(payload: Mapping[str, object]) -> str:
    """Return the document that a request sends or names.

    Raises InvalidRequest if neither is there, if hash and document differ, if nobody registered the hash (with the
    code that tells Apollo's clients to send the document), and if only registered documents run and it is none.
    """
    query, digest = payload.get("query"), _hash(payload.get("extensions"))
    if query is None and digest is not None:
        return _named(digest)
    if not isinstance(query, str) or not query.strip():
        raise InvalidRequest([bad_input("`query` must be a document.")])
    if digest is not None and digest != sha256(query):
        raise InvalidRequest([bad_input("`sha256Hash` is not the SHA-256 of `query`.")])
    if settings.GRAPHQL_DOCUMENTS is not None and sha256(query) not in settings.GRAPHQL_DOCUMENTS:
        raise InvalidRequest([GraphQLError("Only registered documents run here.", extensions=_NOT_REGISTERED)], 403)
    return query


def register(payload: Mapping[str, object], query: str) -> None:
    """Remember a valid document if its request sent the hash as well."""
    digest = _hash(payload.get("extensions"))
    if digest is not None and settings.GRAPHQL_DOCUMENTS is None:
        _registered[digest] = query


def _hash(extensions: object) -> str | None:
    """Return the hash in a request's `extensions`, or None. Raises InvalidRequest for a malformed hash or version."""
    named = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if named is None:
        return None
    digest = named.get("sha256Hash") if isinstance(named, dict) else None
    if not isinstance(digest, str) or not _HASH.fullmatch(digest) or named.get("version") != 1:
        raise InvalidRequest([bad_input("`persistedQuery` must have `version` 1 and `sha256Hash`, 64 hex digits.")])
    return digest


def _named(digest: str) -> str:
    text = (_registered if settings.GRAPHQL_DOCUMENTS is None else settings.GRAPHQL_DOCUMENTS).get(digest)
    if text is None:
        # Apollo's clients expect this text and status. They send the document then.
        raise InvalidRequest([GraphQLError("PersistedQueryNotFound", extensions=_NOT_FOUND)], status=200)
    return text
