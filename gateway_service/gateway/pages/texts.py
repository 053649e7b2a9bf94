"""Every text of the pages, in both languages."""

from dataclasses import dataclass
from typing import Final

from shared.text import Text

BRAND: Final = "Travel"
DATE_FORMAT: Final = Text(en=r"j F Y, H:i \U\T\C", fr=r"j F Y \à H:i \U\T\C")

TAGLINE: Final = Text(en="Trips worth remembering", fr="Des voyages qui comptent")
LANGUAGES: Final = Text(en="Language", fr="Langue")
FOOTER: Final = Text(
    en="A link in a mail from Travel brought you here. We never ask for your password by mail or by phone.",
    fr="Vous avez suivi le lien d’un message de Travel. Nous ne demandons jamais votre mot de passe par message ni"
    " par téléphone.",
)

ADDRESS: Final = Text(en="Address", fr="Adresse")
FIRST_NAME: Final = Text(en="First name", fr="Prénom")
EXPIRES_AT: Final = Text(en="Link works until", fr="Lien valable jusqu’au")
NEW_PASSWORD: Final = Text(en="New password", fr="Nouveau mot de passe")
PASSWORD_RULE: Final = Text(
    en="10 to 128 characters. Not a common password, and not made of your name or your address. Spaces are allowed.",
    fr="De 10 à 128 caractères. Ni un mot de passe courant, ni formé de votre nom ou adresse. Vous pouvez utiliser"
    " des espaces.",
)
PROBLEM: Final = Text(en="There is a problem", fr="Il y a un problème")
ERROR_TITLE: Final = Text(en="Error: {title}", fr="Erreur : {title}")
TRY_AGAIN: Final = Text(en="Try again", fr="Réessayer")


@dataclass(frozen=True, slots=True)
class LinkTexts:
    """The texts of one kind of link: before its use, after its use, and what to do if it does not work any more."""

    title: Text
    intro: Text
    requested_at: Text
    button: Text
    if_not_wanted: Text
    done_title: Text
    done: tuple[Text, ...]
    instead: Text


@dataclass(frozen=True, slots=True)
class Message:
    """A page that only says something."""

    title: Text
    paragraphs: tuple[Text, ...]


_OF_OUR_MAIL: Final = Text(en="Our mail is of", fr="Notre message est du")
_MAIL_ON_ITS_WAY: Final = Text(
    en="A mail with a link to choose a new password is on its way to your address. Open it next: until then nobody"
    " can sign in to the account.",
    fr="Nous envoyons à votre adresse un message avec un lien pour choisir un nouveau mot de passe. Ouvrez-le"
    " maintenant : d’ici là, personne ne peut se connecter au compte.",
)

VERIFY_EMAIL: Final = LinkTexts(
    title=Text(en="Confirm your address", fr="Confirmez votre adresse"),
    intro=Text(
        en="Somebody registered with this address. If it was you, press the button: it confirms the address and opens"
        " your account.",
        fr="Quelqu’un s’est inscrit avec cette adresse. Si c’est vous, appuyez sur le bouton : il confirme l’adresse"
        " et ouvre votre compte.",
    ),
    requested_at=Text(en="Registered on", fr="Inscription du"),
    button=Text(en="Confirm my address", fr="Confirmer mon adresse"),
    if_not_wanted=Text(
        en="If this was not you, close this page. No account is opened, and the registration is soon deleted.",
        fr="Si ce n’était pas vous, fermez cette page. Aucun compte n’est ouvert, et l’inscription est bientôt"
        " supprimée.",
    ),
    done_title=Text(en="Your account is ready", fr="Votre compte est prêt"),
    done=(
        Text(
            en="Your address is confirmed. Sign in in the app with this address and the password that you chose.",
            fr="Votre adresse est confirmée. Connectez-vous dans l’application avec cette adresse et le mot de passe"
            " que vous avez choisi.",
        ),
    ),
    instead=Text(
        en="If you have already used it, your account is ready: sign in in the app. If not, ask for another link"
        " there, or register again.",
        fr="Si vous l’avez déjà utilisé, votre compte est prêt : connectez-vous dans l’application. Sinon, demandez-y"
        " un autre lien ou inscrivez-vous de nouveau.",
    ),
)

RESET_PASSWORD: Final = LinkTexts(
    title=Text(en="Choose a new password", fr="Choisissez un nouveau mot de passe"),
    intro=Text(
        en="The new password replaces the old one, and every device is signed out.",
        fr="Le nouveau mot de passe remplace l’ancien, et tous les appareils sont déconnectés.",
    ),
    requested_at=Text(en="Requested on", fr="Demandé le"),
    button=Text(en="Save the new password", fr="Enregistrer le mot de passe"),
    if_not_wanted=Text(
        en="If you did not ask for this, close this page. Your password stays as it is.",
        fr="Si vous n’avez rien demandé, fermez cette page. Votre mot de passe reste le même.",
    ),
    done_title=Text(en="Your password is changed", fr="Votre mot de passe est changé"),
    done=(
        Text(
            en="Every device was signed out. Sign in in the app with the new password.",
            fr="Tous les appareils ont été déconnectés. Connectez-vous dans l’application avec le nouveau mot de"
            " passe.",
        ),
    ),
    instead=Text(
        en="If you have already used it, sign in in the app with the new password. If not, ask for another link there"
        " with “Forgotten password”.",
        fr="Si vous l’avez déjà utilisé, connectez-vous dans l’application avec le nouveau mot de passe. Sinon,"
        " demandez-y un autre lien par « Mot de passe oublié ».",
    ),
)

CONFIRM_EMAIL_CHANGE: Final = LinkTexts(
    title=Text(en="Confirm your new address", fr="Confirmez votre nouvelle adresse"),
    intro=Text(
        en="Press the button only if you asked for this yourself. For 7 days the earlier address can take the account"
        " back. The account gets this address: you sign in with it, and our mails go there. Every device is signed"
        " out.",
        fr="N’appuyez sur le bouton que si vous l’avez demandé vous-même. Pendant 7 jours, l’ancienne adresse peut"
        " reprendre le compte. Le compte prend cette adresse : vous vous connectez avec elle et y recevez nos"
        " messages. Tous les appareils sont déconnectés.",
    ),
    requested_at=Text(en="Requested on", fr="Demandé le"),
    button=Text(en="Use this address", fr="Utiliser cette adresse"),
    if_not_wanted=Text(
        en="If you did not ask for this, close this page. Nothing changes.",
        fr="Si vous n’avez rien demandé, fermez cette page. Rien ne change.",
    ),
    done_title=Text(en="Your address is changed", fr="Votre adresse est changée"),
    done=(
        Text(
            en="Every device was signed out. Sign in in the app with the new address. Your password is the same.",
            fr="Tous les appareils ont été déconnectés. Connectez-vous dans l’application avec la nouvelle adresse."
            " Votre mot de passe reste le même.",
        ),
    ),
    instead=Text(
        en="If you have already used it, sign in in the app with the new address. If not, change the address there"
        " once more.",
        fr="Si vous l’avez déjà utilisé, connectez-vous dans l’application avec la nouvelle adresse. Sinon, changez-y"
        " l’adresse de nouveau.",
    ),
)

UNDO_EMAIL_CHANGE: Final = LinkTexts(
    title=Text(en="Undo the change of your address", fr="Annulez le changement d’adresse"),
    intro=Text(
        en="Your account gets this address back. We also sign every device out, and mail you a link to choose a new"
        " password.",
        fr="Votre compte reprend cette adresse. Nous déconnectons aussi tous les appareils et vous envoyons un lien"
        " pour choisir un nouveau mot de passe.",
    ),
    requested_at=_OF_OUR_MAIL,
    button=Text(en="Take my address back", fr="Reprendre mon adresse"),
    if_not_wanted=Text(
        en="If you changed the address yourself, close this page. The new address stays.",
        fr="Si vous avez changé l’adresse vous-même, fermez cette page. La nouvelle adresse reste.",
    ),
    done_title=Text(en="You have your address back", fr="Vous avez repris votre adresse"),
    done=(
        Text(en="Every device was signed out.", fr="Tous les appareils ont été déconnectés."),
        _MAIL_ON_ITS_WAY,
    ),
    instead=Text(
        en="If you have already used it, open the mail with the link to choose a new password. If not, ask for such a"
        " link in the app with “Forgotten password”.",
        fr="Si vous l’avez déjà utilisé, ouvrez le message avec le lien pour choisir un nouveau mot de passe. Sinon,"
        " demandez un tel lien dans l’application par « Mot de passe oublié ».",
    ),
)

DISOWN_CHANGE: Final = LinkTexts(
    title=Text(en="This was not me", fr="Ce n’était pas moi"),
    intro=Text(
        en="If somebody else did what our mail tells of, press the button. We sign every device out, make the present"
        " password useless, and mail you a link to choose a new one.",
        fr="Si quelqu’un d’autre a fait ce dont parle notre message, appuyez sur le bouton. Nous déconnectons tous les"
        " appareils, annulons le mot de passe actuel et vous envoyons un lien pour en choisir un nouveau.",
    ),
    requested_at=_OF_OUR_MAIL,
    button=Text(en="Secure my account", fr="Protéger mon compte"),
    if_not_wanted=Text(
        en="If it was you, close this page. Nothing changes.",
        fr="Si c’était vous, fermez cette page. Rien ne change.",
    ),
    done_title=Text(en="Your account is secured", fr="Votre compte est protégé"),
    done=(
        Text(
            en="Every device was signed out, and the earlier password does not work any more.",
            fr="Tous les appareils ont été déconnectés, et l’ancien mot de passe ne fonctionne plus.",
        ),
        _MAIL_ON_ITS_WAY,
    ),
    instead=UNDO_EMAIL_CHANGE.instead,
)

GONE: Final = Message(
    title=Text(en="This link does not work any more", fr="Ce lien ne fonctionne plus"),
    paragraphs=(
        Text(
            en="A link works once, and only for a limited time. Of several links, only the newest may work.",
            fr="Un lien ne sert qu’une fois, et pendant un temps limité. De plusieurs liens, seul le plus récent peut"
            " fonctionner.",
        ),
    ),
)
UNAVAILABLE: Final = Message(
    title=Text(en="Please try again in a moment", fr="Réessayez dans un instant"),
    paragraphs=(
        Text(
            en="Our service does not answer at the moment. Nothing is lost: your link stays as it is.",
            fr="Notre service ne répond pas pour le moment. Rien n’est perdu : votre lien reste tel quel.",
        ),
    ),
)
LIMITED: Final = Message(
    title=Text(en="Too many attempts", fr="Trop de tentatives"),
    paragraphs=(
        Text(
            en="There are too many attempts at the moment. Wait a few minutes, then open the link again. Nothing is"
            " lost: your link stays as it is.",
            fr="Il y a trop de tentatives en ce moment. Attendez quelques minutes, puis rouvrez le lien. Rien n’est"
            " perdu : votre lien reste tel quel.",
        ),
    ),
)
FOREIGN: Final = Message(
    title=Text(en="This form was not sent from our page", fr="Ce formulaire ne vient pas de notre page"),
    paragraphs=(
        Text(
            en="Nothing has changed. Open the link in our mail again and press the button there. If this page comes"
            " back, use another or a newer browser.",
            fr="Rien n’a changé. Rouvrez le lien de notre message et appuyez sur le bouton. Si cette page revient,"
            " utilisez un autre navigateur ou un navigateur plus récent.",
        ),
    ),
)
UNREADABLE: Final = Message(
    title=Text(en="This form cannot be read", fr="Ce formulaire est illisible"),
    paragraphs=(
        Text(
            en="Nothing has changed. Open the link in our mail again and press the button there.",
            fr="Rien n’a changé. Rouvrez le lien de notre message et appuyez sur le bouton.",
        ),
    ),
)
REFUSED: Final = Message(
    title=Text(en="This is not possible", fr="Ce n’est pas possible"),
    paragraphs=(UNREADABLE.paragraphs[0],),
)
