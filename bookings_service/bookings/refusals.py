"""The refusals of quotes, bookings and seats, each with the public contract's code.

Those of payments and refunds are in payments/refusals.py.
"""

from shared.errors import Conflict, Invalid
from shared.text import Text


class InvalidPassengers(Invalid):
    """No adult, too many people, or ages that do not fit."""

    code = "INVALID_PASSENGERS"
    text = Text(
        en="At least one adult, at most 20 people; a child is under 12 on the day of departure"
        " and needs a date of birth.",
        fr="Au moins un adulte, 20 personnes au plus ; un enfant a moins de 12 ans le jour du départ"
        " et sa date de naissance est requise.",
    )


class DepartureClosed(Conflict):
    """The departure is past, closed or cancelled, or it starts too soon."""

    code = "DEPARTURE_CLOSED"
    text = Text(en="This departure cannot be booked any more.", fr="Ce départ ne peut plus être réservé.")


class SeatsUnavailable(Conflict):
    """Fewer seats are free than asked for."""

    code = "SEATS_UNAVAILABLE"
    text = Text(en="Only {seatsLeft} seats are left.", fr="Il ne reste que {seatsLeft} places.")


class SeatsAvailable(Conflict):
    """Nobody needs to wait, because there are enough free seats."""

    code = "SEATS_AVAILABLE"
    text = Text(en="There are enough seats: book them now.", fr="Il reste assez de places : réservez maintenant.")


class NotChangeable(Conflict):
    """It is too late to correct a name, or the passenger does not travel any more."""

    code = "NOT_CHANGEABLE"
    text = Text(
        en="Names can be corrected until the day before departure, of passengers who travel.",
        fr="Les noms peuvent être corrigés jusqu’à la veille du départ, pour les passagers qui voyagent.",
    )


class QuoteExpired(Conflict):
    """The quote's time is over."""

    code = "QUOTE_EXPIRED"
    text = Text(en="This quote has expired. Ask for a new one.", fr="Ce devis a expiré. Demandez-en un nouveau.")


class QuotedDatesChanged(QuoteExpired):
    """The departure has been moved since it was quoted."""

    text = Text(
        en="The departure has been moved since this quote was made. Ask for a new quote.",
        fr="Le départ a été déplacé depuis ce devis. Demandez-en un nouveau.",
    )


class QuoteUsed(Conflict):
    """The quote has become a booking already."""

    code = "QUOTE_USED"
    text = Text(en="This quote was used already.", fr="Ce devis a déjà été utilisé.")


class QuoteOutdated(Conflict):
    """The booking has changed since the cancellation was quoted."""

    code = "QUOTE_OUTDATED"
    text = Text(
        en="The booking has changed since. Ask for a new cancellation quote.",
        fr="La réservation a changé depuis. Demandez un nouveau devis d’annulation.",
    )


class PassengersMismatch(Invalid):
    """The passengers are not those that were quoted."""

    code = "PASSENGERS_MISMATCH"
    text = Text(
        en="The quote is for {adults} adults and {children} children.",
        fr="Le devis est pour {adults} adultes et {children} enfants.",
    )


class HoldLimitReached(Conflict):
    """The traveller has reached the limit of unpaid bookings, or of seats in unpaid bookings."""

    code = "HOLD_LIMIT_REACHED"
    text = Text(
        en="Pay or cancel what you hold first: at most {bookings} unpaid bookings and {seats} held seats.",
        fr="Payez ou annulez d’abord : {bookings} réservations impayées et {seats} places retenues au plus.",
    )


class NotCancellable(Conflict):
    """The booking is cancelled, or the trip has begun."""

    code = "NOT_CANCELLABLE"
    text = Text(en="This booking cannot be cancelled.", fr="Cette réservation ne peut pas être annulée.")


class NotChanged(Conflict):
    """The booking has no change that could be accepted."""

    code = "NOT_CHANGED"
    text = Text(
        en="Nothing of this booking was changed, so there is nothing to accept.",
        fr="Rien n’a changé dans cette réservation : il n’y a rien à accepter.",
    )


class CapacityBelowSold(Conflict):
    """The capacity is below the seats that are held and sold."""

    code = "CAPACITY_BELOW_SOLD"
    text = Text(
        en="{held} seats are held and {sold} sold: the capacity cannot go below their sum.",
        fr="{held} places sont retenues et {sold} vendues : la capacité ne peut descendre en dessous.",
    )
