"""travel.bookings.v1: quotes, bookings and payments of the traveller of the token. One domain call per method."""

from collections.abc import AsyncIterator
from typing import Final

from bookings_service.bookings import selectors, services
from bookings_service.bookings.contracts import CreateQuote
from bookings_service.bookings.rpc import pages, watching
from bookings_service.bookings.rpc.mappers import (
    booking_to_proto,
    cancellation_quote_to_proto,
    event_to_proto,
    payment_to_proto,
    quote_to_proto,
    refund_to_proto,
    to_create_booking,
)
from bookings_service.payments import selectors as payments
from bookings_service.payments.services import pay_booking
from shared.errors import Invalid
from shared.pb.travel.bookings.v1 import bookings_pb2 as pb
from shared.pb.travel.bookings.v1 import bookings_pb2_grpc
from shared.rpc import Call, rpc, rpc_stream
from shared.rpc.mapping import uuid_of, uuids_of

GATEWAY: Final = frozenset({"gateway"})
DESTINATIONS: Final = frozenset({"destinations"})


class BookingsServicer(bookings_pb2_grpc.BookingsServiceServicer):
    """What is somebody else's is answered as what does not exist."""

    @rpc(callers=GATEWAY)
    def CreateQuote(self, request: pb.CreateQuoteRequest, call: Call) -> pb.CreateQuoteResponse:
        """Fix a price for the traveller."""
        command = CreateQuote(uuid_of(request.departure_id, "departure"), request.adults, request.children)
        quote = services.create_quote(command=command, traveller=call.owner, deadline=call.deadline)
        return pb.CreateQuoteResponse(quote=quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def GetQuote(self, request: pb.GetQuoteRequest, call: Call) -> pb.GetQuoteResponse:
        """Return the traveller's quote."""
        quote = selectors.quote(quote_id=uuid_of(request.id, "id"), traveller_id=call.owner.id)
        return pb.GetQuoteResponse(quote=quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def CreateBooking(self, request: pb.CreateBookingRequest, call: Call) -> pb.CreateBookingResponse:
        """Turn a quote into a booking."""
        booking = services.create_booking(
            command=to_create_booking(request), traveller=call.owner, deadline=call.deadline
        )
        return pb.CreateBookingResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def GetBooking(self, request: pb.GetBookingRequest, call: Call) -> pb.GetBookingResponse:
        """Return the traveller's booking."""
        booking = selectors.booking_by_reference(reference=request.reference, traveller_id=call.owner.id)
        return pb.GetBookingResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def BatchGetBookings(self, request: pb.BatchGetBookingsRequest, call: Call) -> pb.BatchGetBookingsResponse:
        """Return those that are the traveller's."""
        found = selectors.bookings_by_id(ids=uuids_of(request.ids, "ids"), traveller_id=call.owner.id)
        return pb.BatchGetBookingsResponse(bookings=map(booking_to_proto, found))

    @rpc(callers=GATEWAY)
    def BatchListBookings(self, request: pb.BatchListBookingsRequest, call: Call) -> pb.BatchListBookingsResponse:
        """Return a page per traveller, empty for anybody but the traveller of the token."""
        return pages.bookings_pages(request, traveller_id=call.owner.id)

    @rpc(callers=GATEWAY)
    def PayBooking(self, request: pb.PayBookingRequest, call: Call) -> pb.PayBookingResponse:
        """Pay a booking."""
        payment, booking = pay_booking(
            reference=request.reference,
            payment_method=request.payment_method,
            idempotency_key=request.idempotency_key,
            traveller=call.owner,
        )
        return pb.PayBookingResponse(payment=payment_to_proto(payment), booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def QuoteCancellation(self, request: pb.QuoteCancellationRequest, call: Call) -> pb.QuoteCancellationResponse:
        """Explain what cancelling gives back."""
        quote = services.quote_cancellation(
            reference=request.reference,
            passenger_ids=uuids_of(request.passenger_ids, "passengers"),
            traveller=call.owner,
        )
        return pb.QuoteCancellationResponse(cancellation_quote=cancellation_quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def GetCancellationQuote(
        self, request: pb.GetCancellationQuoteRequest, call: Call
    ) -> pb.GetCancellationQuoteResponse:
        """Return the traveller's cancellation quote."""
        quote = selectors.cancellation_quote(quote_id=uuid_of(request.id, "id"), traveller_id=call.owner.id)
        return pb.GetCancellationQuoteResponse(cancellation_quote=cancellation_quote_to_proto(quote))

    @rpc(callers=GATEWAY)
    def CancelBooking(self, request: pb.CancelBookingRequest, call: Call) -> pb.CancelBookingResponse:
        """Cancel as quoted."""
        booking = services.cancel_booking(
            cancellation_quote_id=uuid_of(request.cancellation_quote_id, "cancellationQuote"), traveller=call.owner
        )
        return pb.CancelBookingResponse(booking=booking_to_proto(booking))

    @rpc(callers=GATEWAY)
    def BatchGetPayments(self, request: pb.BatchGetPaymentsRequest, call: Call) -> pb.BatchGetPaymentsResponse:
        """Return those that are the traveller's."""
        found = payments.payments_by_id(ids=uuids_of(request.ids, "ids"), traveller_id=call.owner.id)
        return pb.BatchGetPaymentsResponse(payments=map(payment_to_proto, found))

    @rpc(callers=GATEWAY)
    def BatchGetRefunds(self, request: pb.BatchGetRefundsRequest, call: Call) -> pb.BatchGetRefundsResponse:
        """Return those that are the traveller's."""
        found = payments.refunds_by_id(ids=uuids_of(request.ids, "ids"), traveller_id=call.owner.id)
        return pb.BatchGetRefundsResponse(refunds=map(refund_to_proto, found))

    @rpc(callers=GATEWAY)
    def BatchListBookingEvents(
        self, request: pb.BatchListBookingEventsRequest, call: Call
    ) -> pb.BatchListBookingEventsResponse:
        """Return each booking's events after a sequence."""
        ids = uuids_of(request.booking_ids, "booking_ids")
        found = selectors.history(booking_ids=ids, traveller_id=call.owner.id, after=_sequence(request.after_sequence))
        return pb.BatchListBookingEventsResponse(
            histories=[
                pb.BookingHistory(booking_id=str(booking_id), events=map(event_to_proto, found[booking_id]))
                for booking_id in ids
            ]
        )

    @rpc(callers=GATEWAY)
    def ListBookingEvents(self, request: pb.ListBookingEventsRequest, call: Call) -> pb.ListBookingEventsResponse:
        """Return the booking as it is now, and its events after a sequence."""
        booking, events = selectors.booking_with_events(
            reference=request.reference, traveller_id=call.owner.id, after=_sequence(request.after_sequence)
        )
        return pb.ListBookingEventsResponse(booking=booking_to_proto(booking), events=map(event_to_proto, events))

    @rpc_stream(callers=GATEWAY)
    async def WatchBooking(  # type: ignore[override]  # the decorator
        self, request: pb.WatchBookingRequest, call: Call
    ) -> AsyncIterator[pb.WatchBookingResponse]:
        """Send what came after the sequence, then every event as it happens."""
        async for update in watching.updates(
            reference=request.reference, traveller_id=call.owner.id, after=_sequence(request.after_sequence)
        ):
            yield update

    @rpc(callers=GATEWAY, traveller="optional")
    def BatchGetAvailability(
        self, request: pb.BatchGetAvailabilityRequest, call: Call
    ) -> pb.BatchGetAvailabilityResponse:
        """Return how many seats can be held now, of departures that are known."""
        found = selectors.availability(departure_ids=uuids_of(request.departure_ids, "departure_ids"))
        return pb.BatchGetAvailabilityResponse(
            availabilities=[
                pb.Availability(departure_id=str(departure_id), seats_available=seats.available)
                for departure_id, seats in found.items()
            ]
        )

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


def _sequence(after: int) -> int:
    if after < 0:
        raise Invalid(field="afterSequence")
    return after
