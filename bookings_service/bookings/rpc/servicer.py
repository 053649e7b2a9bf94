"""travel.bookings.v1. Each method calls one service or selector.

Most methods serve the token's traveller: quotes, bookings, payments and the waiting list. Staff methods act on any
booking and check the role. Free seats and sequences need no token. SetCapacity and BatchCountBookings are only for
destinations_service.
"""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from bookings_service.bookings import selectors, services
from bookings_service.bookings.rpc import pages, sequences, watching
from bookings_service.bookings.rpc.mappers import (
    booking_to_proto,
    cancellation_quote_to_proto,
    event_to_proto,
    payment_to_proto,
    quote_to_proto,
    refund_to_proto,
    to_create_booking,
    to_create_quote,
    waitlist_entry_to_proto,
)
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from contracts.travel.bookings.v1 import bookings_pb2_grpc
from shared.errors import Forbidden, Invalid
from shared.rpc import Call, rpc, rpc_stream
from shared.rpc.mapping import money_of, uuid_of, uuids_of

GATEWAY: Final = frozenset({"gateway"})
DESTINATIONS: Final = frozenset({"destinations"})
AGENT: Final = "booking_agent"
FINANCE: Final = "finance"


class BookingsServicer(bookings_pb2_grpc.BookingsServiceServicer):
    """Serves travel.bookings.v1. A row of another traveller is answered with NotFound, or is not in the list.

    No service calls the Staff methods yet: staff use the admin and the REST API.
    """

    @rpc(callers=GATEWAY)
    def CreateQuote(self, request: pb.CreateQuoteRequest, call: Call) -> pb.CreateQuoteResponse:
        """Fix a price for the traveller."""
        quote = services.create_quote(
            command=to_create_quote(request), traveller=call.signed_in_traveller, deadline=call.deadline
        )
        return pb.CreateQuoteResponse(quote=quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def GetQuote(self, request: pb.GetQuoteRequest, call: Call) -> pb.GetQuoteResponse:
        """Return the traveller's quote."""
        quote = selectors.quote(quote_id=uuid_of(request.id, "id"), traveller_id=call.signed_in_traveller.id)
        return pb.GetQuoteResponse(quote=quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def CreateBooking(self, request: pb.CreateBookingRequest, call: Call) -> pb.CreateBookingResponse:
        """Turn a quote into a booking."""
        booking = services.create_booking(
            command=to_create_booking(request), traveller=call.signed_in_traveller, deadline=call.deadline
        )
        return pb.CreateBookingResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def GetBooking(self, request: pb.GetBookingRequest, call: Call) -> pb.GetBookingResponse:
        """Return the traveller's booking."""
        booking = selectors.booking_by_reference(reference=request.reference, traveller_id=call.signed_in_traveller.id)
        return pb.GetBookingResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def BatchGetBookings(self, request: pb.BatchGetBookingsRequest, call: Call) -> pb.BatchGetBookingsResponse:
        """Return the traveller's bookings among the ids."""
        bookings = selectors.bookings_by_id(ids=uuids_of(request.ids, "ids"), traveller_id=call.signed_in_traveller.id)
        return pb.BatchGetBookingsResponse(bookings=map(booking_to_proto, bookings))

    @rpc(callers=GATEWAY)
    def BatchListBookings(self, request: pb.BatchListBookingsRequest, call: Call) -> pb.BatchListBookingsResponse:
        """Return a page for each traveller, empty for all but the token's traveller."""
        return pages.bookings_pages(request, traveller_id=call.signed_in_traveller.id)

    @rpc(callers=GATEWAY)
    def PayBooking(self, request: pb.PayBookingRequest, call: Call) -> pb.PayBookingResponse:
        """Pay a booking."""
        payment, booking = services.pay_booking(
            reference=request.reference,
            payment_method=request.payment_method,
            idempotency_key=request.idempotency_key,
            traveller=call.signed_in_traveller,
        )
        return pb.PayBookingResponse(payment=payment_to_proto(payment), booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def QuoteCancellation(self, request: pb.QuoteCancellationRequest, call: Call) -> pb.QuoteCancellationResponse:
        """Say what cancelling would refund, and why."""
        quote = services.quote_cancellation(
            reference=request.reference,
            passenger_ids=uuids_of(request.passenger_ids, "passengers"),
            traveller=call.signed_in_traveller,
        )
        return pb.QuoteCancellationResponse(cancellation_quote=cancellation_quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def GetCancellationQuote(
        self, request: pb.GetCancellationQuoteRequest, call: Call
    ) -> pb.GetCancellationQuoteResponse:
        """Return the traveller's cancellation quote."""
        quote = selectors.cancellation_quote(
            quote_id=uuid_of(request.id, "id"), traveller_id=call.signed_in_traveller.id
        )
        return pb.GetCancellationQuoteResponse(cancellation_quote=cancellation_quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def CancelBooking(self, request: pb.CancelBookingRequest, call: Call) -> pb.CancelBookingResponse:
        """Cancel as quoted."""
        booking = services.cancel_booking(
            cancellation_quote_id=uuid_of(request.cancellation_quote_id, "cancellationQuote"),
            traveller=call.signed_in_traveller,
        )
        return pb.CancelBookingResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def BatchGetPayments(self, request: pb.BatchGetPaymentsRequest, call: Call) -> pb.BatchGetPaymentsResponse:
        """Return the traveller's payments among the ids."""
        views = selectors.payments_by_id(ids=uuids_of(request.ids, "ids"), traveller_id=call.signed_in_traveller.id)
        return pb.BatchGetPaymentsResponse(payments=map(payment_to_proto, views))

    @rpc(callers=GATEWAY)
    def BatchGetRefunds(self, request: pb.BatchGetRefundsRequest, call: Call) -> pb.BatchGetRefundsResponse:
        """Return the traveller's refunds among the ids."""
        views = selectors.refunds_by_id(ids=uuids_of(request.ids, "ids"), traveller_id=call.signed_in_traveller.id)
        return pb.BatchGetRefundsResponse(refunds=map(refund_to_proto, views))

    @rpc(callers=GATEWAY)
    def BatchListBookingEvents(
        self, request: pb.BatchListBookingEventsRequest, call: Call
    ) -> pb.BatchListBookingEventsResponse:
        """Return each booking's history entries after a sequence."""
        ids = uuids_of(request.booking_ids, "booking_ids")
        events = selectors.history(
            booking_ids=ids, traveller_id=call.signed_in_traveller.id, after=_sequence(request.after_sequence)
        )
        return pb.BatchListBookingEventsResponse(
            histories=[
                pb.BookingHistory(booking_id=str(booking_id), events=map(event_to_proto, events[booking_id]))
                for booking_id in ids
            ]
        )

    @rpc(callers=GATEWAY)
    def ListBookingEvents(self, request: pb.ListBookingEventsRequest, call: Call) -> pb.ListBookingEventsResponse:
        """Return the booking as it is now, and its history entries after a sequence."""
        booking, events = selectors.booking_with_history(
            reference=request.reference,
            traveller_id=call.signed_in_traveller.id,
            after=_sequence(request.after_sequence),
        )
        return pb.ListBookingEventsResponse(booking=booking_to_proto(booking), events=map(event_to_proto, events))

    @rpc_stream(callers=GATEWAY)
    async def WatchBooking(  # type: ignore[override]  # the decorator
        self, request: pb.WatchBookingRequest, call: Call
    ) -> AsyncIterator[pb.WatchBookingResponse]:
        """Send the history entries after the sequence, then every new entry as it happens.

        No program calls this method at present: the gateway follows bookings through Kafka instead.
        """
        async for update in watching.updates(
            reference=request.reference,
            traveller_id=call.signed_in_traveller.id,
            after=_sequence(request.after_sequence),
        ):
            yield update

    @rpc(callers=GATEWAY, traveller="optional")
    def BatchGetAvailability(
        self, request: pb.BatchGetAvailabilityRequest, call: Call
    ) -> pb.BatchGetAvailabilityResponse:
        """Return the free seats of those departures that are known."""
        known = selectors.availability(departure_ids=uuids_of(request.departure_ids, "departure_ids"))
        return pb.BatchGetAvailabilityResponse(
            availabilities=[
                pb.Availability(departure_id=str(departure_id), seats_available=seats.free_seats)
                for departure_id, seats in known.items()
            ]
        )

    @rpc(callers=GATEWAY, traveller="none")
    def BatchGetSequences(self, request: pb.BatchGetSequencesRequest, call: Call) -> pb.BatchGetSequencesResponse:
        """Return the present sequence of everything that a gateway process watches, bookings in pages."""
        return sequences.present(request)

    @rpc(callers=DESTINATIONS, traveller="none")
    def SetCapacity(self, request: pb.SetCapacityRequest, call: Call) -> pb.SetCapacityResponse:
        """Apply a capacity that destinations_service is about to commit."""
        if request.capacity < 0 or request.version < 1:
            raise Invalid(field="capacity" if request.capacity < 0 else "version")
        seats = services.set_capacity(
            departure_id=uuid_of(request.departure_id, "departure_id"),
            capacity=request.capacity,
            version=request.version,
        )
        return pb.SetCapacityResponse(capacity=seats.capacity, held=seats.held, sold=seats.sold)

    @rpc(callers=DESTINATIONS, traveller="none")
    def BatchCountBookings(self, request: pb.BatchCountBookingsRequest, call: Call) -> pb.BatchCountBookingsResponse:
        """Return how many live bookings and passengers each departure has."""
        counted = selectors.bookings_of_departures(departure_ids=uuids_of(request.departure_ids, "departure_ids"))
        return pb.BatchCountBookingsResponse(
            departures=[
                pb.DepartureBookings(
                    departure_id=str(row.departure_id), bookings=row.bookings, passengers=row.passengers
                )
                for row in counted
            ]
        )

    @rpc(callers=GATEWAY)
    def AcceptChange(self, request: pb.AcceptChangeRequest, call: Call) -> pb.AcceptChangeResponse:
        """Accept the new dates of a departure that was moved."""
        booking = services.accept_change(reference=request.reference, traveller=call.signed_in_traveller)
        return pb.AcceptChangeResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def RenamePassenger(self, request: pb.RenamePassengerRequest, call: Call) -> pb.RenamePassengerResponse:
        """Correct a passenger's name."""
        booking = services.rename_passenger(
            passenger_id=uuid_of(request.passenger_id, "id"),
            first_name=request.first_name,
            last_name=request.last_name,
            traveller=call.signed_in_traveller,
        )
        return pb.RenamePassengerResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def JoinWaitlist(self, request: pb.JoinWaitlistRequest, call: Call) -> pb.JoinWaitlistResponse:
        """Put the traveller on the waiting list of a full departure."""
        entry = services.join_waitlist(
            departure_id=uuid_of(request.departure_id, "departure"),
            seats=request.seats,
            traveller=call.signed_in_traveller,
            deadline=call.deadline,
        )
        return pb.JoinWaitlistResponse(entry=waitlist_entry_to_proto(entry))

    @rpc(callers=GATEWAY)
    def LeaveWaitlist(self, request: pb.LeaveWaitlistRequest, call: Call) -> pb.LeaveWaitlistResponse:
        """Take the traveller off a waiting list."""
        services.leave_waitlist(entry_id=uuid_of(request.id, "id"), traveller=call.signed_in_traveller)
        return pb.LeaveWaitlistResponse()

    @rpc(callers=GATEWAY)
    def BatchGetWaitlistEntries(
        self, request: pb.BatchGetWaitlistEntriesRequest, call: Call
    ) -> pb.BatchGetWaitlistEntriesResponse:
        """Return the traveller's waiting-list entries among the ids."""
        entries = selectors.waitlist_entries(ids=uuids_of(request.ids, "ids"), traveller_id=call.signed_in_traveller.id)
        return pb.BatchGetWaitlistEntriesResponse(entries=map(waitlist_entry_to_proto, entries))

    @rpc(callers=GATEWAY)
    def BatchListWaitlist(self, request: pb.BatchListWaitlistRequest, call: Call) -> pb.BatchListWaitlistResponse:
        """Return the waiting-list entries of the token's traveller, newest first, and no entries for anybody else."""
        asked = uuids_of(request.traveller_ids, "traveller_ids")
        entries = selectors.waitlist_of(
            traveller_ids=[asked_id for asked_id in asked if asked_id == call.signed_in_traveller.id]
        )
        return pb.BatchListWaitlistResponse(
            waitlists=[
                pb.WaitlistOfTraveller(
                    traveller_id=str(asked_id), entries=map(waitlist_entry_to_proto, entries.get(asked_id, ()))
                )
                for asked_id in asked
            ]
        )

    @rpc(callers=GATEWAY)
    def StaffQuoteCancellation(
        self, request: pb.StaffQuoteCancellationRequest, call: Call
    ) -> pb.StaffQuoteCancellationResponse:
        """Quote a cancellation for an agent, by the trip's rule or at the agent's percentage."""
        quote = services.quote_cancellation_as_staff(
            reference=request.reference,
            passenger_ids=uuids_of(request.passenger_ids, "passengers"),
            staff_id=_staff(call, AGENT),
            staff_reason=request.reason,
            override_percent=request.refund_percent if request.HasField("refund_percent") else None,
        )
        return pb.StaffQuoteCancellationResponse(cancellation_quote=cancellation_quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def StaffCancelBooking(self, request: pb.StaffCancelBookingRequest, call: Call) -> pb.StaffCancelBookingResponse:
        """Carry out a cancellation quote that the same agent made."""
        staff_id = _staff(call, AGENT)
        booking = services.cancel_as_staff(
            cancellation_quote_id=uuid_of(request.cancellation_quote_id, "cancellationQuote"), staff_id=staff_id
        )
        return pb.StaffCancelBookingResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def StaffRefundBooking(self, request: pb.StaffRefundBookingRequest, call: Call) -> pb.StaffRefundBookingResponse:
        """Refund without cancelling anything."""
        staff_id = _staff(call, FINANCE)
        refunds, booking = services.refund_booking(
            reference=request.reference,
            amount=money_of(request.amount, "amount"),
            staff_reason=request.reason,
            staff_id=staff_id,
            idempotency_key=request.idempotency_key,
        )
        # The message has one refund. If the amount is taken from several payments, `booking.refunds` has all of them.
        return pb.StaffRefundBookingResponse(refund=refund_to_proto(refunds[0]), booking=booking_to_proto(booking))


def _staff(call: Call, role: str) -> UUID:
    """Return the id of the calling member of staff. Raises Forbidden without `role` or the admin role."""
    account = call.signed_in_traveller  # a member of staff has an ordinary account, with a role
    if account.roles.isdisjoint({role, "admin"}):
        raise Forbidden
    return account.id


def _sequence(after: int) -> int:
    if after < 0:
        raise Invalid(field="afterSequence")
    return after
