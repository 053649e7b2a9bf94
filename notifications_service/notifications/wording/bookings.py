"""The words about bookings and the waiting list."""

from collections.abc import Mapping
from typing import Final

from notifications_service.notifications.domain import Kind
from notifications_service.notifications.wording.words import Words
from shared.text import Text

SUBJECTS: Final[Mapping[Kind, Text]] = {
    Kind.BOOKING_CONFIRMED: Text(en="Booking {reference} is confirmed", fr="La réservation {reference} est confirmée"),
    Kind.BOOKING_CHANGED: Text(en="Booking {reference} has changed", fr="La réservation {reference} a changé"),
    Kind.BOOKING_CANCELLED: Text(en="Booking {reference} is cancelled", fr="La réservation {reference} est annulée"),
    Kind.DEPARTURE_CANCELLED: Text(
        en="Booking {reference}: your trip will not take place",
        fr="Réservation {reference} : votre voyage n’aura pas lieu",
    ),
    Kind.DEPARTURE_MOVED: Text(
        en="Booking {reference}: your trip has new dates", fr="Réservation {reference} : votre voyage change de dates"
    ),
    Kind.PASSENGER_RENAMED: Text(
        en="Booking {reference}: a name was corrected", fr="Réservation {reference} : un nom a été corrigé"
    ),
    Kind.WAITLIST_OFFERED: Text(en="Seats have come free for you", fr="Des places se sont libérées pour vous"),
    Kind.WAITLIST_EXPIRED: Text(en="Your offered seats went on", fr="Les places proposées ne sont plus gardées"),
    Kind.WAITLIST_CLOSED: Text(en="The waiting list is closed", fr="La liste d’attente est close"),
    Kind.HOLD_EXPIRED: Text(
        en="Booking {reference}: your seats were released", fr="Réservation {reference} : vos places ont été libérées"
    ),
    Kind.PAYMENT_FAILED: Text(
        en="Booking {reference}: your payment did not go through",
        fr="Réservation {reference} : le paiement n’a pas abouti",
    ),
    Kind.REFUND: Text(en="Booking {reference}: your refund", fr="Réservation {reference} : votre remboursement"),
}

WORDING: Final[Mapping[Kind, Words]] = {
    Kind.BOOKING_CONFIRMED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="Your trip is booked", fr="Votre voyage est réservé"),
        body=(
            Text(
                en="Your payment arrived and your seats are yours. Everything you need is below; add the attached calendar"
                " file, and your trip is in your diary too.",
                fr="Votre paiement est arrivé et vos places sont à vous. Tout est résumé ci-dessous ; le fichier joint"
                " ajoute le voyage à votre agenda.",
            ),
        ),
        with_document=Text(en="Invoice {number} is attached.", fr="La facture {number} est jointe."),
        notes=(
            Text(
                en="When you contact us, the reference {reference} is all we need.",
                fr="Pour nous joindre, la référence {reference} suffit.",
            ),
        ),
    ),
    Kind.BOOKING_CHANGED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="Your booking has changed", fr="Votre réservation a changé"),
        body=(
            Text(
                en="Some travellers were taken off the booking; the others travel as planned.",
                fr="Des voyageurs ont été retirés de la réservation ; les autres partent comme prévu.",
            ),
        ),
        with_refund=Text(
            en="{amount} comes back the way you paid; we write again when it is on its way.",
            fr="{amount} vous seront remboursés sur votre moyen de paiement ; nous vous écrirons lors de l’envoi.",
        ),
    ),
    Kind.BOOKING_CANCELLED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="Your booking is cancelled", fr="Votre réservation est annulée"),
        body=(
            Text(
                en="The booking below is cancelled and its seats are free again.",
                fr="La réservation ci-dessous est annulée et ses places sont à nouveau libres.",
            ),
        ),
        with_refund=Text(
            en="{amount} comes back the way you paid. We write again, with the credit note, when it is on its way.",
            fr="{amount} vous seront remboursés sur votre moyen de paiement. Nous vous écrirons, avec l’avoir, lors de l’envoi.",
        ),
        without_refund=Text(
            en="Nothing is refunded for this cancellation.", fr="Cette annulation ne donne lieu à aucun remboursement."
        ),
        unpaid=Text(
            en="You had not paid yet, so nothing was charged.", fr="Vous n’aviez rien payé : rien n’a été débité."
        ),
        notes=(
            Text(
                en="We would love to see you on another trip.",
                fr="Nous serions ravis de vous revoir pour un autre voyage.",
            ),
        ),
    ),
    Kind.DEPARTURE_CANCELLED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="Your trip will not take place", fr="Votre voyage n’aura pas lieu"),
        body=(
            Text(
                en="We are sorry: we had to cancel this departure, and your booking with it.",
                fr="Nous sommes désolés : nous avons dû annuler ce départ, et votre réservation avec lui.",
            ),
        ),
        with_refund=Text(
            en="All you paid, {amount}, comes back the way you paid. We write again, with the credit note, when it is on its way.",
            fr="Tout ce que vous avez payé, {amount}, vous sera remboursé sur votre moyen de paiement. Nous vous écrirons, avec"
            " l’avoir, lors de l’envoi.",
        ),
        without_refund=Text(en="There is nothing left to refund.", fr="Il ne reste rien à rembourser."),
        unpaid=Text(
            en="You had not paid yet, so nothing was charged.", fr="Vous n’aviez rien payé : rien n’a été débité."
        ),
        notes=(
            Text(
                en="Other departures may have seats: have a look before you give up on the trip.",
                fr="D’autres départs ont peut-être des places : regardez avant de renoncer au voyage.",
            ),
        ),
    ),
    Kind.DEPARTURE_MOVED: Words(
        preheader=Text(en="{title}, now {start}", fr="{title}, désormais {start}"),
        heading=Text(en="Your trip has new dates", fr="Votre voyage change de dates"),
        body=(
            Text(
                en="The organiser has changed the dates of your trip. Your booking, its travellers and its price stay the same.",
                fr="L’organisateur a changé les dates de votre voyage. Votre réservation, ses voyageurs et son prix restent les"
                " mêmes.",
            ),
        ),
        if_free=Text(
            en="If the new dates do not suit you, cancel the booking until {free_until}: all you paid comes back. If they do,"
            " accept the change in your booking.",
            fr="Si les nouvelles dates ne vous conviennent pas, annulez la réservation jusqu’au {free_until} : tout ce que vous"
            " avez payé vous sera remboursé. Sinon, acceptez le changement dans votre réservation.",
        ),
        if_not_free=Text(
            en="The change is small, so you need not do anything. The cancellation rules of your booking stay the same.",
            fr="Le changement est minime : vous n’avez rien à faire. Les règles d’annulation de votre réservation restent les"
            " mêmes.",
        ),
    ),
    Kind.PASSENGER_RENAMED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="A name was corrected", fr="Un nom a été corrigé"),
        body=(
            Text(
                en="A traveller’s name on the booking below was corrected. Look it over in your booking: names must be those of"
                " the passports.",
                fr="Le nom d’un voyageur de la réservation ci-dessous a été corrigé. Vérifiez-le dans votre réservation : les noms"
                " doivent être ceux des passeports.",
            ),
        ),
        notes=(
            Text(
                en="It was not you? Change your password, and tell us the reference {reference}.",
                fr="Ce n’était pas vous ? Changez votre mot de passe et indiquez-nous la référence {reference}.",
            ),
        ),
    ),
    Kind.WAITLIST_OFFERED: Words(
        preheader=Text(
            en="{title}, {start}: held until {offered_until}.",
            fr="{title}, {start} : gardées jusqu’au {offered_until}.",
        ),
        heading=Text(en="Seats have come free", fr="Des places se sont libérées"),
        body=(
            Text(
                en="You were next in line, and we hold {seats} seats for you until {offered_until}.",
                fr="C’était votre tour : nous vous gardons {seats} places jusqu’au {offered_until}.",
            ),
            Text(
                en="Open your waiting list and book them before then; afterwards they go to the next in line.",
                fr="Ouvrez votre liste d’attente et réservez-les d’ici là ; ensuite, elles iront aux suivants.",
            ),
        ),
        notes=(
            Text(
                en="You no longer want to go? Leave the waiting list, and somebody else can be glad of them now.",
                fr="Vous ne souhaitez plus partir ? Quittez la liste d’attente : quelqu’un d’autre en profitera.",
            ),
        ),
    ),
    Kind.WAITLIST_EXPIRED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="The seats went to the next in line", fr="Les places sont allées aux suivants"),
        body=(
            Text(
                en="We held {seats} seats for you, but they were not booked in time. You were not charged.",
                fr="Nous vous gardions {seats} places, mais elles n’ont pas été réservées à temps. Rien n’a été débité.",
            ),
            Text(
                en="Still want to go? Join the waiting list again, or book at once where there are seats.",
                fr="Toujours partant ? Inscrivez-vous à nouveau, ou réservez tout de suite s’il reste des places.",
            ),
        ),
    ),
    Kind.WAITLIST_CLOSED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="This departure can no longer be booked", fr="Ce départ ne peut plus être réservé"),
        body=(
            Text(
                en="You were waiting for {seats} seats. Booking has ended for this departure, so the waiting list is closed.",
                fr="Vous attendiez {seats} places. Les réservations sont terminées pour ce départ : la liste d’attente est close.",
            ),
        ),
        notes=(
            Text(
                en="Other departures may have seats: have a look.",
                fr="D’autres départs ont peut-être des places : regardez.",
            ),
        ),
    ),
    Kind.HOLD_EXPIRED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="Your seats were released", fr="Vos places ont été libérées"),
        body=(
            Text(
                en="We held seats for you, but no payment arrived in time, so others can book them now. You were not charged.",
                fr="Nous gardions des places pour vous, mais aucun paiement n’est arrivé à temps : d’autres peuvent les"
                " réserver. Vous n’avez pas été débité.",
            ),
            Text(
                en="Still want to go? Book again while there are seats; should a payment of yours arrive late, we confirm the"
                " booking if its seats are free, and else send all of it back.",
                fr="Toujours partant ? Réservez à nouveau tant qu’il reste des places ; si un paiement arrive en retard, nous"
                " confirmons la réservation si ses places sont libres, sinon nous vous remboursons en totalité.",
            ),
        ),
    ),
    Kind.PAYMENT_FAILED: Words(
        preheader=Text(en="{title}, {start}", fr="{title}, {start}"),
        heading=Text(en="Your payment did not go through", fr="Le paiement n’a pas abouti"),
        body=(
            Text(
                en="Your bank or card did not accept the payment of {amount}. You were not charged.",
                fr="Votre banque ou votre carte a refusé le paiement de {amount}. Vous n’avez pas été débité.",
            ),
        ),
        if_held=Text(
            en="Try again, with another card if need be: your seats are held until {held_until}.",
            fr="Réessayez, avec une autre carte au besoin : vos places sont gardées jusqu’au {held_until}.",
        ),
    ),
    Kind.REFUND: Words(
        preheader=Text(en="{amount} is on its way.", fr="{amount} en route."),
        heading=Text(en="Your refund is on its way", fr="Votre remboursement est en route"),
        body=(
            Text(
                en="We sent {amount} back the way you paid. Most banks show it within five working days.",
                fr="Nous avons renvoyé {amount} sur votre moyen de paiement. La plupart des banques l’affichent sous cinq"
                " jours ouvrés.",
            ),
        ),
        with_document=Text(en="Credit note {number} is attached.", fr="L’avoir {number} est joint."),
    ),
}

SMS: Final[Mapping[Kind, Text]] = {
    Kind.BOOKING_CONFIRMED: Text(
        en="Booking {reference} is confirmed: {title}, {start}. Have a good trip!",
        fr="Réservation {reference} confirmée : {title}, {start}. Bon voyage !",
    ),
    Kind.BOOKING_CANCELLED: Text(
        en="Booking {reference} is cancelled: {title}, {start}. Details are in your mail.",
        fr="Réservation {reference} annulée : {title}, {start}. Les détails sont dans votre e-mail.",
    ),
    Kind.DEPARTURE_CANCELLED: Text(
        en="We had to cancel {title}, {start}. Booking {reference}: all you paid comes back. Details are in your mail.",
        fr="Nous avons dû annuler {title}, {start}. Réservation {reference} : tout vous est remboursé. Détails par e-mail.",
    ),
    Kind.DEPARTURE_MOVED: Text(
        en="{title} has new dates: it starts {start_moment}. Booking {reference}: what you can do is in your mail.",
        fr="{title} change de dates : départ {start_moment}. Réservation {reference} : vos options sont dans votre e-mail.",
    ),
    Kind.WAITLIST_OFFERED: Text(
        en="{seats} seats are held for you until {offered_until}: {title}, {start}. Book them in your waiting list.",
        fr="{seats} places vous sont gardées jusqu’au {offered_until} : {title}, {start}. À réserver dans votre liste d’attente.",
    ),
}
