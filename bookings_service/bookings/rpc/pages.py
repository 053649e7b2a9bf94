"""Pages of bookings, one for each traveller asked for."""

from datetime import UTC, datetime
from uuid import UUID

from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import BookingFilter
from bookings_service.bookings.domain.booking import REFERENCE_LENGTH
from bookings_service.bookings.rpc.mappers import booking_to_proto, status_of
from bookings_service.bookings.selectors import BookingOrder
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from shared.rpc.mapping import date_of, page_info, page_of, uuids_of


def bookings_pages(request: pb.BatchListBookingsRequest, *, traveller_id: UUID) -> pb.BatchListBookingsResponse:
    """Return a page for each requested traveller.

    Only the page of `traveller_id`, who signed in, has bookings.
    """
    first, after = page_of(request.page)
    order = BookingOrder.BY_START if request.order_by == pb.BOOKING_ORDER_STARTS_AT else BookingOrder.NEWEST
    upcoming = None if not request.time else request.time == pb.BOOKING_TIME_UPCOMING
    answer = pb.BatchListBookingsResponse()
    for asked in uuids_of(request.traveller_ids, "traveller_ids"):
        if asked != traveller_id:
            answer.pages.add(
                traveller_id=str(asked), page_info=page_info(cursors=[], has_next=False, has_previous=False)
            )
            continue
        wanted = BookingFilter(
            traveller_id=traveller_id, status=status_of(request.status), upcoming=upcoming, now=datetime.now(UTC),
            starts_from=date_of(request.starts_from, "startsFrom"), starts_to=date_of(request.starts_to, "startsTo"),
            reference=request.reference[:REFERENCE_LENGTH],
        )  # fmt: skip
        page = selectors.bookings_page(wanted=wanted, order=order, first=first, after=after)
        answer.pages.add(
            traveller_id=str(asked),
            edges=[
                pb.BookingEdge(node=booking_to_proto(view), cursor=cursor)
                for view, cursor in zip(page.rows, page.cursors, strict=True)
            ],
            page_info=page_info(cursors=page.cursors, has_next=page.has_next, has_previous=page.has_previous),
            total_count=len(page.rows) if page.is_whole_list else selectors.count_bookings(wanted=wanted),
        )
    return answer
