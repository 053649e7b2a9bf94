"""Who may call each RPC, and whether it needs a traveller's token. The walk over the RPCs compares it with the servers.

A new RPC must be added here, with the decision who may call it.
"""

from dataclasses import dataclass
from typing import Final

SERVICES: Final = ("users", "destinations", "bookings", "notifications", "gateway")


@dataclass(frozen=True, slots=True)
class Rule:
    """The services that may call an RPC, and its traveller: `required`, `optional` or `none`."""

    callers: frozenset[str]
    traveller: str


def _rules(callers: str, traveller: str, *methods: str) -> dict[str, Rule]:
    return {method: Rule(frozenset(callers.split()), traveller) for method in methods}


RULES: Final[dict[str, dict[str, Rule]]] = {
    "users": {
        **_rules(
            "gateway", "none",
            "Register", "VerifyEmail", "ResendVerification", "Login", "RefreshTokens", "RequestPasswordReset",
            "ResetPassword", "ConfirmEmailChange", "UndoEmailChange", "DisownChange", "DescribeLink",
        ),
        **_rules("gateway", "optional", "Logout"),
        **_rules(
            "gateway", "required",
            "UpdateProfile", "BatchGetUsers", "ChangePassword", "ChangeEmail", "VerifyPhone", "BatchListSessions",
            "RevokeSession", "BatchListSecurityEvents",
        ),
        **_rules("bookings", "required", "CheckTraveller"),
        **_rules("bookings", "none", "FindTraveller"),
        **_rules("notifications", "none", "BatchGetContacts", "MintLink", "MintPhoneCode"),
        **_rules("destinations bookings notifications", "none", "AuthenticateStaff", "GetStaff"),
    },
    "destinations": _rules(
        "gateway bookings notifications", "none",
        "BatchGetDestinations", "SearchDestinations", "Search", "Suggest", "ListTags", "BatchListChildren", "BatchListPhotos", "BatchListAveragePrices",
        "BatchGetTrips", "SearchTrips", "BatchListTrips", "BatchGetDepartures", "BatchListDepartures", "GetDeparture",
        "ListExchangeRates", "BatchGetTripContents", "BatchGetVisitingTimes",
    ),
    "bookings": {
        **_rules(
            "gateway", "required",
            "CreateQuote", "GetQuote", "CreateBooking", "GetBooking", "BatchGetBookings", "BatchListBookings",
            "PayBooking", "QuoteCancellation", "GetCancellationQuote", "CancelBooking", "BatchGetPayments",
            "BatchGetRefunds", "BatchListBookingEvents", "ListBookingEvents", "WatchBooking", "RenamePassenger",
            "AcceptChange",
            "JoinWaitlist", "LeaveWaitlist", "BatchGetWaitlistEntries", "BatchListWaitlist", "StaffQuoteCancellation",
            "StaffCancelBooking", "StaffRefundBooking",
        ),
        **_rules("gateway", "optional", "BatchGetAvailability"),
        **_rules("gateway", "none", "BatchGetSequences"),
        **_rules("destinations", "none", "SetCapacity", "BatchCountBookings"),
    },
    "notifications": {
        **_rules(
            "gateway", "required",
            "BatchListNotifications", "BatchGetNotifications", "BatchListInvoices", "BatchListBookingInvoices",
            "BatchGetInvoices", "GetInvoice",
        ),
        **_rules("bookings", "none", "ListBookingMessages"),
    },
}  # fmt: skip
