"""travel.notifications.v1: a traveller's own notifications and documents. One domain call per method."""

from typing import Final

from contracts.travel.notifications.v1 import notifications_pb2 as pb
from contracts.travel.notifications.v1 import notifications_pb2_grpc
from notifications_service.billing import selectors as billing
from notifications_service.notifications import selectors
from notifications_service.notifications.rpc.mappers import (
    invoice_page_to_proto,
    invoice_to_proto,
    notification_page_to_proto,
    notification_to_proto,
)
from shared.rpc import Call, rpc
from shared.rpc.mapping import page_of, uuid_of, uuids_of

GATEWAY: Final = frozenset({"gateway"})
BOOKINGS: Final = frozenset({"bookings"})


class NotificationsServicer(notifications_pb2_grpc.NotificationsServiceServicer):
    """Answer only for the traveller of the token. What belongs to others is empty, skipped or not found."""

    @rpc(callers=GATEWAY)
    def BatchListNotifications(
        self, request: pb.BatchListNotificationsRequest, call: Call
    ) -> pb.BatchListNotificationsResponse:
        """Return a page per person, newest first."""
        pages = []
        for person_id in uuids_of(request.person_ids, "person_ids"):
            first, after = page_of(request.page)
            page = selectors.notifications_page(
                person_id=person_id, traveller_id=call.signed_in_traveller.id, first=first, after=after
            )
            pages.append(notification_page_to_proto(person_id, page))
        return pb.BatchListNotificationsResponse(pages=pages)

    @rpc(callers=GATEWAY)
    def BatchGetNotifications(
        self, request: pb.BatchGetNotificationsRequest, call: Call
    ) -> pb.BatchGetNotificationsResponse:
        """Return those that belong to the traveller. Skip the others."""
        notifications = selectors.notifications_by_id(
            ids=uuids_of(request.ids, "ids"), person_id=call.signed_in_traveller.id
        )
        return pb.BatchGetNotificationsResponse(notifications=map(notification_to_proto, notifications))

    @rpc(callers=GATEWAY)
    def BatchListInvoices(self, request: pb.BatchListInvoicesRequest, call: Call) -> pb.BatchListInvoicesResponse:
        """Return a page per person, newest first."""
        pages = []
        for person_id in uuids_of(request.person_ids, "person_ids"):
            first, after = page_of(request.page)
            page = billing.invoices_page(
                person_id=person_id, traveller_id=call.signed_in_traveller.id, first=first, after=after
            )
            pages.append(invoice_page_to_proto(person_id, page))
        return pb.BatchListInvoicesResponse(pages=pages)

    @rpc(callers=GATEWAY)
    def BatchListBookingInvoices(
        self, request: pb.BatchListBookingInvoicesRequest, call: Call
    ) -> pb.BatchListBookingInvoicesResponse:
        """Return the documents of each booking, oldest first."""
        booking_ids = uuids_of(request.booking_ids, "booking_ids")
        documents = billing.invoices_of_bookings(booking_ids=booking_ids, person_id=call.signed_in_traveller.id)
        return pb.BatchListBookingInvoicesResponse(
            bookings=[
                pb.BookingInvoices(booking_id=str(booking_id), invoices=map(invoice_to_proto, documents[booking_id]))
                for booking_id in booking_ids
            ]
        )

    @rpc(callers=GATEWAY)
    def BatchGetInvoices(self, request: pb.BatchGetInvoicesRequest, call: Call) -> pb.BatchGetInvoicesResponse:
        """Return those that belong to the traveller. Skip the others."""
        invoices = billing.invoices_by_id(ids=uuids_of(request.ids, "ids"), person_id=call.signed_in_traveller.id)
        return pb.BatchGetInvoicesResponse(invoices=map(invoice_to_proto, invoices))

    @rpc(callers=BOOKINGS, traveller="none")
    def ListBookingMessages(self, request: pb.ListBookingMessagesRequest, call: Call) -> pb.ListBookingMessagesResponse:
        """Return the messages about a booking, for the staff of bookings_service."""
        booking_id = uuid_of(request.booking_id, "booking_id")
        return pb.ListBookingMessagesResponse(
            notifications=map(notification_to_proto, selectors.notifications_of_booking(booking_id=booking_id)),
            invoices=map(invoice_to_proto, billing.documents_of_booking(booking_id=booking_id)),
        )

    @rpc(callers=GATEWAY)
    def GetInvoice(self, request: pb.GetInvoiceRequest, call: Call) -> pb.GetInvoiceResponse:
        """Return the document. Raises NotFound if it does not belong to the traveller."""
        invoice = billing.get_header(invoice_id=uuid_of(request.id, "id"), person_id=call.signed_in_traveller.id)
        return pb.GetInvoiceResponse(invoice=invoice_to_proto(invoice))
