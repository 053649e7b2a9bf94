"""Why the verification of a phone number is refused."""

from shared.errors import Conflict, Invalid
from shared.text import Text


class NoPhone(Conflict):
    """The profile has no phone number to verify."""

    code = "NO_PHONE"
    text = Text(
        en="Your profile has no phone number. Add one first.",
        fr="Votre profil n’a pas de numéro de téléphone. Ajoutez-en un d’abord.",
    )


class InvalidCode(Invalid):
    """The code is wrong, used, expired, or of another number."""

    code = "INVALID_CODE"
    text = Text(en="This code is wrong or no longer valid.", fr="Ce code est faux ou n’est plus valable.")


class CodeNotWanted(Conflict):
    """The code of this request was used, replaced, has expired or is for another number, so no SMS must be sent."""

    code = "CODE_NOT_WANTED"
    text = Text(en="This code is no longer wanted.", fr="Ce code n’est plus attendu.")
