"""The words about the account: confirming an address, choosing a password, and what happened to the account.

Somebody who is not the owner can cause most of these mails. So each says what to do if it was not the reader.
"""

from collections.abc import Mapping
from typing import Final

from notifications_service.notifications.domain import Kind
from notifications_service.notifications.wording.words import Words
from shared.text import Text

SUBJECTS: Final[Mapping[Kind, Text]] = {
    Kind.VERIFY_EMAIL: Text(en="Confirm your email address", fr="Confirmez votre adresse e-mail"),
    Kind.ALREADY_REGISTERED: Text(en="You already have an account", fr="Vous avez déjà un compte"),
    Kind.RESET_PASSWORD: Text(en="Choose a new password", fr="Choisissez un nouveau mot de passe"),
    Kind.CONFIRM_EMAIL_CHANGE: Text(en="Confirm your new email address", fr="Confirmez votre nouvelle adresse e-mail"),
    Kind.EMAIL_CHANGED: Text(en="Your email address was changed", fr="Votre adresse e-mail a été changée"),
    Kind.EMAIL_CHANGE_REQUESTED: Text(
        en="A new email address was requested", fr="Une nouvelle adresse e-mail a été demandée"
    ),
    Kind.PASSWORD_CHANGED: Text(en="Your password was changed", fr="Votre mot de passe a été changé"),
    Kind.PHONE_CHANGED: Text(en="Your phone number was changed", fr="Votre numéro de téléphone a été changé"),
    Kind.NEW_DEVICE: Text(en="A new device signed in", fr="Un nouvel appareil s’est connecté"),
    Kind.REUSE_DETECTED: Text(
        en="We signed out a device to protect your account",
        fr="Un appareil a été déconnecté pour protéger votre compte",
    ),
    Kind.SESSIONS_ENDED: Text(en="All your devices were signed out", fr="Tous vos appareils ont été déconnectés"),
    Kind.VERIFY_PHONE: Text(en="The code for your phone number", fr="Le code pour votre numéro de téléphone"),
}

_WORKS_ONCE: Final = Text(
    en="The link works once, until {expires}.", fr="Le lien fonctionne une fois, jusqu’au {expires}."
)
_NOT_ME_BUTTON: Final = Text(en="This wasn’t me", fr="Ce n’était pas moi")
_NOT_ME: Final = Text(
    en="If it was you, there is nothing to do. If it was not, open the page below: it signs out every device, and we"
    " mail you a link to choose a new password. It works once, until {expires}.",
    fr="Si c’était vous, il n’y a rien à faire. Sinon, ouvrez la page ci-dessous : elle déconnecte tous les appareils,"
    " et nous vous envoyons un lien pour choisir un nouveau mot de passe. Elle fonctionne une fois, jusqu’au {expires}.",
)

WORDING: Final[Mapping[Kind, Words]] = {
    Kind.VERIFY_EMAIL: Words(
        preheader=Text(en="One click, and you can book.", fr="Un clic, et vous pourrez réserver."),
        heading=Text(en="Welcome aboard", fr="Bienvenue à bord"),
        body=(
            Text(
                en="This address was registered in the name of {full_name}. If it was you, confirm that the address is"
                " yours: that creates your account, and you can book your first trip.",
                fr="Cette adresse a été inscrite au nom de {full_name}. Si c’était vous, confirmez qu’elle est la vôtre :"
                " votre compte sera créé et vous pourrez réserver votre premier voyage.",
            ),
        ),
        button=Text(en="Confirm my address", fr="Confirmer mon adresse"),
        notes=(
            _WORKS_ONCE,
            Text(
                en="If it was not you, do nothing: no account is made without the link.",
                fr="Si ce n’était pas vous, ne faites rien : sans le lien, aucun compte n’est créé.",
            ),
        ),
    ),
    Kind.ALREADY_REGISTERED: Words(
        preheader=Text(en="Somebody tried to register this address.", fr="Quelqu’un a voulu inscrire cette adresse."),
        heading=Text(en="You are already one of us", fr="Vous êtes déjà des nôtres"),
        body=(
            Text(
                en="Somebody, perhaps you, has just tried to create an account with this address. It has one already:"
                " no second one was made, and your password was not changed.",
                fr="Quelqu’un, peut-être vous, vient d’essayer de créer un compte avec cette adresse. Elle en a déjà un :"
                " aucun autre n’a été créé et votre mot de passe n’a pas changé.",
            ),
            Text(
                en="To book, sign in as usual. If you forgot your password, ask for a new one where you sign in.",
                fr="Pour réserver, connectez-vous comme d’habitude. Mot de passe oublié ? Demandez-en un nouveau là où"
                " vous vous connectez.",
            ),
        ),
        notes=(
            Text(
                en="If it was not you, there is nothing to do: whoever it was learnt nothing about you.",
                fr="Si ce n’était pas vous, il n’y a rien à faire : cette personne n’a rien appris sur vous.",
            ),
        ),
    ),
    Kind.RESET_PASSWORD: Words(
        preheader=Text(en="The link works for 60 minutes.", fr="Le lien fonctionne pendant 60 minutes."),
        heading=Text(en="Choose a new password", fr="Choisissez un nouveau mot de passe"),
        body=(
            Text(
                en="Somebody, perhaps you, asked for a new password for your account. Open the page below to choose it."
                " Every device is then signed out, and you sign in with the new password.",
                fr="Quelqu’un, peut-être vous, a demandé un nouveau mot de passe pour votre compte. Ouvrez la page"
                " ci-dessous pour le choisir. Tous les appareils seront déconnectés et vous vous connecterez avec lui.",
            ),
        ),
        button=Text(en="Choose a new password", fr="Choisir un mot de passe"),
        notes=(
            Text(
                en="The link works once, for 60 minutes, until {expires}. If you ask for another link, this one stops"
                " working.",
                fr="Le lien fonctionne une fois, pendant 60 minutes, jusqu’au {expires}. Si vous demandez un autre lien,"
                " celui-ci ne fonctionne plus.",
            ),
            Text(
                en="If it was not you, ignore this mail: your password stays as it is.",
                fr="Si ce n’était pas vous, ignorez ce message : votre mot de passe ne change pas.",
            ),
        ),
    ),
    Kind.CONFIRM_EMAIL_CHANGE: Words(
        preheader=Text(
            en="Confirm only if you asked for this yourself.", fr="Ne confirmez que si vous l’avez demandé vous-même."
        ),
        heading=Text(en="Is this your new address?", fr="Est-ce votre nouvelle adresse ?"),
        body=(
            Text(
                en="{full_name} asked to use this address for a Travel account. After you confirm, you sign in with it, and"
                " our mails come here. Until then the account keeps its earlier address.",
                fr="{full_name} a demandé à utiliser cette adresse pour un compte Travel. Une fois confirmée, elle vous"
                " sert à vous connecter et nos e-mails y arrivent. D’ici là, le compte garde son adresse précédente.",
            ),
            Text(
                en="Confirm only if you asked for this yourself. The account’s earlier address can take the account back"
                " for 7 days.",
                fr="Ne confirmez que si vous l’avez demandé vous-même. L’adresse précédente peut reprendre le compte"
                " pendant 7 jours.",
            ),
        ),
        button=Text(en="Use this address", fr="Utiliser cette adresse"),
        notes=(
            _WORKS_ONCE,
            Text(
                en="If it was not you, do nothing: nothing changes without the link.",
                fr="Si ce n’était pas vous, ne faites rien : sans le lien, rien ne change.",
            ),
        ),
    ),
    Kind.EMAIL_CHANGED: Words(
        preheader=Text(en="You can undo it for 7 days.", fr="Vous pouvez l’annuler pendant 7 jours."),
        heading=Text(en="Your account has another address", fr="Votre compte a une autre adresse"),
        body=(
            Text(
                en="On {when}, this address was replaced by another one. You now sign in with the other address, and our"
                " mails go there.",
                fr="Le {when}, cette adresse a été remplacée par une autre. Vous vous connectez désormais avec l’autre"
                " adresse, et nos e-mails y arrivent.",
            ),
        ),
        with_link=Text(
            en="If it was you, there is nothing to do. If it was not, undo the change: your account gets this address back,"
            " every device is signed out, and we mail you a link to choose a new password.",
            fr="Si c’était vous, il n’y a rien à faire. Sinon, annulez le changement : votre compte retrouve cette adresse,"
            " tous les appareils sont déconnectés, et nous vous envoyons un lien pour choisir un nouveau mot de passe.",
        ),
        button=Text(en="Undo the change", fr="Annuler le changement"),
        notes=(
            Text(
                en="The link works once, for 7 days, until {expires}.",
                fr="Le lien fonctionne une fois, pendant 7 jours, jusqu’au {expires}.",
            ),
        ),
    ),
    Kind.EMAIL_CHANGE_REQUESTED: Words(
        preheader=Text(en="Was it you?", fr="Était-ce vous ?"),
        heading=Text(en="Your account may get another address", fr="Votre compte va peut-être changer d’adresse"),
        body=(
            Text(
                en="On {when}, somebody who was signed in to your account asked to use another email address. The account"
                " keeps this address until the other one is confirmed.",
                fr="Le {when}, une personne connectée à votre compte a demandé à utiliser une autre adresse e-mail. Le"
                " compte garde cette adresse tant que l’autre n’est pas confirmée.",
            ),
        ),
        with_link=_NOT_ME,
        button=_NOT_ME_BUTTON,
    ),
    Kind.PASSWORD_CHANGED: Words(
        preheader=Text(en="Was it you?", fr="Était-ce vous ?"),
        heading=Text(en="Your password was changed", fr="Votre mot de passe a été changé"),
        body=(
            Text(
                en="The password of your account was changed on {when}. Sign in with the new one from now on.",
                fr="Le mot de passe de votre compte a été changé le {when}. Connectez-vous désormais avec le nouveau.",
            ),
        ),
        with_link=_NOT_ME,
        button=_NOT_ME_BUTTON,
    ),
    Kind.PHONE_CHANGED: Words(
        preheader=Text(en="Was it you?", fr="Était-ce vous ?"),
        heading=Text(en="Your phone number was changed", fr="Votre numéro de téléphone a été changé"),
        body=(
            Text(
                en="The phone number of your account was changed or removed on {when}.",
                fr="Le numéro de téléphone de votre compte a été changé ou supprimé le {when}.",
            ),
        ),
        with_link=_NOT_ME,
        button=_NOT_ME_BUTTON,
    ),
    Kind.NEW_DEVICE: Words(
        preheader=Text(en="Was it you?", fr="Était-ce vous ?"),
        heading=Text(en="A new device signed in", fr="Un nouvel appareil s’est connecté"),
        body=(
            Text(
                en="On {when}, somebody signed in to your account with a device or from a network that it had not used"
                " before. Your account shows which, in the list of your devices.",
                fr="Le {when}, une connexion à votre compte a eu lieu avec un appareil ou depuis un réseau qu’il n’avait"
                " jamais utilisé. La liste de vos appareils, dans votre compte, indique lequel.",
            ),
        ),
        with_link=_NOT_ME,
        button=_NOT_ME_BUTTON,
    ),
    Kind.REUSE_DETECTED: Words(
        preheader=Text(en="A sign-in was used twice.", fr="Une connexion a servi deux fois."),
        heading=Text(en="We signed out one of your devices", fr="Nous avons déconnecté un de vos appareils"),
        body=(
            Text(
                en="On {when}, a sign-in of your account was used a second time, perhaps from a copy. To be safe we ended"
                " that session: the device asks for your password the next time. Your other devices stay signed in.",
                fr="Le {when}, une connexion à votre compte a servi une seconde fois, peut-être à partir d’une copie. Par"
                " précaution, nous avons mis fin à cette session : l’appareil vous demandera votre mot de passe. Les"
                " autres restent connectés.",
            ),
            Text(
                en="If this surprises you, change your password and look through your signed-in devices.",
                fr="Si cela vous surprend, changez votre mot de passe et vérifiez vos appareils connectés.",
            ),
        ),
        with_link=Text(
            en="Do you think that somebody else used your account? Open the page below: it signs out every device, and we"
            " mail you a link to choose a new password. It works once, until {expires}.",
            fr="Vous pensez que quelqu’un d’autre a utilisé votre compte ? Ouvrez la page ci-dessous : elle déconnecte tous"
            " les appareils, et nous vous envoyons un lien pour choisir un nouveau mot de passe. Elle fonctionne une fois,"
            " jusqu’au {expires}.",
        ),
        button=_NOT_ME_BUTTON,
    ),
    Kind.SESSIONS_ENDED: Words(
        preheader=Text(en="Was it you?", fr="Était-ce vous ?"),
        heading=Text(en="All your devices were signed out", fr="Tous vos appareils ont été déconnectés"),
        body=(
            Text(
                en="On {when}, every session of your account was ended. Each device asks for your password the next time.",
                fr="Le {when}, toutes les sessions de votre compte ont pris fin. Chaque appareil vous demandera votre mot"
                " de passe.",
            ),
        ),
        with_link=_NOT_ME,
        button=_NOT_ME_BUTTON,
    ),
}

SMS: Final[Mapping[Kind, Text]] = {
    Kind.VERIFY_PHONE: Text(
        en="Your code is {code}. It is valid for 10 minutes. We never ask you for it.",
        fr="Votre code est {code}. Il est valable 10 minutes. Nous ne vous le demanderons jamais.",
    ),
}
