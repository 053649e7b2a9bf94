"""The words that mails of several kinds share."""

from collections.abc import Mapping
from typing import Final

from shared.text import Text

LABELS: Final[Mapping[str, Text]] = {
    "greeting": Text(en="Hello {name},", fr="Bonjour {name},"),
    "reference": Text(en="Booking reference", fr="Référence"),
    "starts": Text(en="Starts", fr="Départ"),
    "ends": Text(en="Ends", fr="Retour"),
    "started_before": Text(en="Original start", fr="Départ initial"),
    "ended_before": Text(en="Original end", fr="Retour initial"),
    "reason": Text(en="Reason", fr="Motif"),
    "free_until": Text(en="Cancel free of charge until", fr="Annulation sans frais jusqu’au"),
    "seats": Text(en="Seats", fr="Places"),
    "held_until": Text(en="Held until", fr="Gardées jusqu’au"),
    "travellers": Text(en="Travellers", fr="Voyageurs"),
    "local_time": Text(en="local time", fr="heure locale"),
    "colon": Text(en=":", fr=" :"),
    "paid": Text(en="Paid", fr="Payé"),
    "refunded": Text(en="Refunded", fr="Remboursé"),
    "by_link": Text(en="Or open this address:", fr="Ou ouvrez cette adresse :"),
    "footer": Text(
        en="This mail is about your account or a booking of yours. Prices include tax.",
        fr="Ce message concerne votre compte ou une de vos réservations. Les prix sont TTC.",
    ),
    "undeclinable_footer": Text(
        en="This mail is about a booking of yours. Such mails are always sent. Prices include tax.",
        fr="Ce message concerne une de vos réservations. Ces messages sont toujours envoyés. Les prix sont TTC.",
    ),
    "account_footer": Text(
        en="You get this mail because this address was given for a Travel account. Such mails are always sent: they protect"
        " the account.",
        fr="Vous recevez ce message parce que cette adresse a été indiquée pour un compte Travel. Ces messages sont toujours"
        " envoyés : ils protègent le compte.",
    ),
    "tagline": Text(en="Trips worth remembering", fr="Des voyages qui comptent"),
}
