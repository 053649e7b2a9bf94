"""Pages of bookings, one for each traveller asked for."""

from datetime import UTC, datetime
from uuid import UUID

from bookings_service.bookings import selectors
from bookings_service.bookings.domain.booking import REFERENCE_LENGTH
from bookings_service.bookings.rpc.mappers import booking_to_proto, status_of
from bookings_service.bookings.selectors import BY_START, NEWEST
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from shared.pages import page
from shared.rpc.mapping import date_of, page_info, page_of, uuids_of


def bookings_pages(request: pb.BatchListBookingsRequest, *, traveller_id: UUID) -> pb.BatchListBookingsResponse:
    """Return a page for each requested traveller.

    Only the page of `traveller_id`, who signed in, has bookings.
    """
    first, after = page_of(request.page)
    by_start = request.order_by == pb.BOOKING_ORDER_STARTS_AT
    upcoming = None if not request.time else request.time == pb.BOOKING_TIME_UPCOMING
    answer = pb.BatchListBookingsResponse()
    for asked in uuids_of(request.traveller_ids, "traveller_ids"):
        if asked != traveller_id:
            answer.pages.add(
                traveller_id=str(asked), page_info=page_info(cursors=[], has_next=False, has_previous=False)
            )
            continue
        rows = selectors.bookings_of(
            traveller_id=traveller_id, status=status_of(request.status), upcoming=upcoming, now=datetime.now(UTC),
            starts_from=date_of(request.starts_from, "startsFrom"), starts_to=date_of(request.starts_to, "startsTo"),
            reference=request.reference[:REFERENCE_LENGTH],
        )  # fmt: skip
        cut = page(
            rows, keys=BY_START if by_start else NEWEST, first=first, after=after,
            kind="bookings.start" if by_start else "bookings.newest",
        )  # fmt: skip
        views = selectors.views_of(cut.rows)
        answer.pages.add(
            traveller_id=str(asked),
            edges=[
                pb.BookingEdge(node=booking_to_proto(view), cursor=cursor)
                for view, cursor in zip(views, cut.cursors, strict=True)
            ],
            page_info=page_info(cursors=cut.cursors, has_next=cut.has_next, has_previous=cut.has_previous),
            total_count=rows.count(),
        )
    return answer
