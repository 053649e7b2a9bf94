"""The tree of refusals, and the one table that turns each into HTTP, gRPC and GraphQL.

A refusal is defined beside the code that raises it: a subclass with a stable `code` and a `text` in every language. Its
branch of the tree decides the answer over each protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from grpc import StatusCode

from shared.text import Locale, Text


class DomainError(Exception):
    """An expected error that callers handle: a stable `code`, a `text` for people, and `params` that fill the text.

    `field` names the input at fault.
    """

    code: ClassVar[str] = "INTERNAL"
    text: ClassVar[Text] = Text(en="Something went wrong.", fr="Une erreur est survenue.")

    def __init__(self, *, field: str | None = None, text: Text | None = None, **params: Any) -> None:
        self.field = field
        self.params: dict[str, Any] = params
        self._text = text or type(self).text
        super().__init__(self.localized(Locale.EN))

    @property
    def own_text(self) -> Text | None:
        """The text that this refusal was given, if it does not say what its class says."""
        return self._text if self._text is not type(self).text else None

    def localized(self, locale: Locale) -> str:
        """Return the message for people in `locale`."""
        return self._text.format(locale, _Shown(self.params))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            known = _registry.setdefault(cls.code, cls)
            if known is not cls and protocols_of_class(known) != protocols_of_class(cls):
                raise TypeError(f"{cls.code} is already a {known.__mro__[1].__name__}: one code, one meaning")


class _Shown(dict[str, Any]):
    """Parameters for a message.

    A missing parameter shows as its name, because a refusal must never fail to be shown.
    """

    def __missing__(self, key: str) -> str:
        return key


_registry: dict[str, type[DomainError]] = {}


class NotFound(DomainError):
    """The thing does not exist, or it is not the caller's. The answer never says which."""

    code = "NOT_FOUND"
    text = Text(en="Not found.", fr="Introuvable.")


class Invalid(DomainError):
    """The input is not well-formed or not allowed."""

    code = "BAD_USER_INPUT"
    text = Text(en="The input is not valid.", fr="La saisie n’est pas valide.")


class Conflict(DomainError):
    """The input is well-formed, but the present state does not allow the request."""

    code = "CONFLICT"
    text = Text(en="This is not possible in the current state.", fr="Ce n’est pas possible dans l’état actuel.")


class IllegalTransition(Conflict):
    """The object is in a state that does not allow this action."""

    code = "ILLEGAL_TRANSITION"
    text = Text(en="The booking cannot change this way now.", fr="La réservation ne peut pas changer ainsi.")


class KeyReused(Conflict):
    """An idempotency key came back with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    text = Text(
        en="This idempotency key was used for another request.",
        fr="Cette clé d’idempotence a déjà servi pour une autre requête.",
    )


class _Retryable(DomainError):
    """A refusal that passes. The caller may ask again after `retry_after` seconds."""

    def __init__(self, *, retry_after: int = 1, **kwargs: Any) -> None:
        self.retry_after = retry_after
        super().__init__(**{**kwargs, "retryAfter": retry_after})


class StaleVersion(Conflict):
    """The object was changed after the caller read it. Nothing was written."""

    code = "VERSION_CONFLICT"
    text = Text(
        en="Somebody changed this after you read it: it is at version {version} now. Read it again, then repeat your"
        " change.",
        fr="Cette fiche a été modifiée après votre lecture : elle en est à la version {version}. Relisez-la, puis"
        " recommencez.",
    )


class InFlight(_Retryable, Conflict):
    """The first request with this idempotency key has not ended yet."""

    code = "IDEMPOTENCY_KEY_IN_FLIGHT"
    text = Text(
        en="The first request with this key is still running.", fr="La première requête avec cette clé est en cours."
    )


class Unauthenticated(DomainError):
    """The caller is not known. Every cause has the same message."""

    code = "UNAUTHENTICATED"
    text = Text(en="Sign in to continue.", fr="Connectez-vous pour continuer.")


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"
    text = Text(en="You are not allowed to do this.", fr="Vous n’avez pas le droit de faire cela.")


class RateLimited(_Retryable):
    """Too many attempts. The next one is allowed after `retry_after` seconds."""

    code = "RATE_LIMITED"
    text = Text(en="Too many attempts. Try again later.", fr="Trop de tentatives. Réessayez plus tard.")


class Unavailable(_Retryable):
    """A needed service is unavailable or too busy. Nothing was done."""

    code = "UPSTREAM_UNAVAILABLE"
    text = Text(
        en="The service is unavailable. Try again in a moment.",
        fr="Le service est indisponible. Réessayez dans un instant.",
    )


class DeadlineExceeded(DomainError):
    """The caller's deadline passed. What was not committed was not done."""

    code = "DEADLINE_EXCEEDED"
    text = Text(en="The request took too long.", fr="La requête a pris trop de temps.")


class TooLarge(DomainError):
    """The request is larger than what is read."""

    code = "TOO_LARGE"
    text = Text(en="The request is too large.", fr="La requête est trop volumineuse.")


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a refusal is answered: the HTTP status, the gRPC status and the GraphQL top-level code.

    If `graphql` is None, the refusal is always a UserError with its own code.
    """

    http: int
    grpc: StatusCode
    graphql: str | None


PROTOCOLS: Final[Mapping[type[DomainError], Protocol]] = {
    NotFound: Protocol(404, StatusCode.NOT_FOUND, "NOT_FOUND"),
    Invalid: Protocol(400, StatusCode.INVALID_ARGUMENT, "BAD_USER_INPUT"),
    KeyReused: Protocol(422, StatusCode.FAILED_PRECONDITION, None),
    StaleVersion: Protocol(412, StatusCode.FAILED_PRECONDITION, None),
    InFlight: Protocol(409, StatusCode.ABORTED, None),
    Conflict: Protocol(409, StatusCode.FAILED_PRECONDITION, None),
    Unauthenticated: Protocol(401, StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    Forbidden: Protocol(403, StatusCode.PERMISSION_DENIED, "FORBIDDEN"),
    RateLimited: Protocol(429, StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED"),
    Unavailable: Protocol(503, StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE"),
    DeadlineExceeded: Protocol(504, StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
    TooLarge: Protocol(413, StatusCode.RESOURCE_EXHAUSTED, "BAD_USER_INPUT"),
    DomainError: Protocol(500, StatusCode.INTERNAL, "INTERNAL"),
}


def protocols_of_class(cls: type[DomainError]) -> Protocol:
    """Return the protocols of refusals of `cls`: the table's entry of its nearest ancestor."""
    return next(PROTOCOLS[ancestor] for ancestor in cls.__mro__ if ancestor in PROTOCOLS)


def protocols_of(error: DomainError) -> Protocol:
    """Return the statuses and the code that answer `error`."""
    return protocols_of_class(type(error))


_BRANCH_BY_STATUS: Final[Mapping[StatusCode, type[DomainError]]] = {
    StatusCode.NOT_FOUND: NotFound,
    StatusCode.INVALID_ARGUMENT: Invalid,
    StatusCode.FAILED_PRECONDITION: Conflict,
    StatusCode.ABORTED: InFlight,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
    StatusCode.PERMISSION_DENIED: Forbidden,
    StatusCode.RESOURCE_EXHAUSTED: RateLimited,
    StatusCode.UNAVAILABLE: Unavailable,
    StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}


class RemoteRefusal:
    """Rebuilds a refusal that another service raised."""

    @staticmethod
    def rebuild(
        *, code: str, status: StatusCode, message: str, field: str | None, params: Mapping[str, Any]
    ) -> DomainError:
        """Return a refusal with `code` on the branch of `status`, with the message that the other service wrote.

        A code that this process knows becomes its own class. Any other code is put on the class of its branch.
        """
        branch = _BRANCH_BY_STATUS.get(status, DomainError)
        known = _registry.get(code)
        cls = known if known and issubclass(known, branch) else branch
        escaped = message.replace("{", "{{").replace("}", "}}")
        arguments = {**params}
        retry_after = arguments.pop("retryAfter", None)
        if issubclass(cls, _Retryable) and retry_after is not None:
            arguments["retry_after"] = int(retry_after)
        error = cls(field=field, text=Text(en=escaped, fr=escaped), **arguments)
        if error.code != code and code:
            vars(error)["code"] = code  # hides the class's own
        return error
