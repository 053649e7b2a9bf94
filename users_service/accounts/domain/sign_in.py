"""Why a sign-in, a session or a mailed link is refused."""

from shared.errors import Conflict, Invalid, Unauthenticated
from shared.text import Text


class InvalidCredentials(Unauthenticated):
    """The address or the password is wrong, or the address is not confirmed. The answer never says which."""

    code = "INVALID_CREDENTIALS"
    text = Text(
        en="The address or the password is wrong. If you have just registered, open the link that we mailed you first.",
        fr="L’adresse ou le mot de passe est incorrect. "
        "Si vous venez de vous inscrire, ouvrez d’abord le lien que nous vous avons envoyé.",
    )


class TokenInvalid(Invalid):
    """The token of the link or session is unknown, used, expired or revoked."""

    code = "TOKEN_INVALID"
    text = Text(en="This link or session is no longer valid.", fr="Ce lien ou cette session n’est plus valable.")


class LinkNotWanted(Conflict):
    """The link of this request was used or has expired, so no mail must be sent."""

    code = "LINK_NOT_WANTED"
    text = Text(en="This link is no longer wanted.", fr="Ce lien n’est plus attendu.")
