"""Fakes of the four services: gRPC servicers that answer from a World."""

from typing import Any

from contracts.travel.bookings.v1 import bookings_pb2 as b
from contracts.travel.bookings.v1 import bookings_pb2_grpc
from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2 as d
from contracts.travel.destinations.v1 import destinations_pb2_grpc
from contracts.travel.notifications.v1 import notifications_pb2 as n
from contracts.travel.notifications.v1 import notifications_pb2_grpc
from contracts.travel.users.v1 import users_pb2 as u
from contracts.travel.users.v1 import users_pb2_grpc
from gateway_service.tests.world import World, euros, servicer, text, timestamp
from shared.errors import NotFound
from shared.ids import uuid7
from shared.rpc import Call


def by_id(ids: Any, rows: dict[str, Any]) -> list[Any]:
    return [rows[id] for id in ids if id in rows]


def users(world: World) -> Any:
    done = (
        "RequestPasswordReset ResetPassword ChangePassword ChangeEmail ConfirmEmailChange UndoEmailChange DisownChange"
        " VerifyEmail ResendVerification VerifyPhone RevokeSession"
    ).split()
    tokens = u.Tokens(
        access_token="access", refresh_token="refresh-1", expires_in_seconds=300, refresh_expires_at=timestamp(30)
    )
    return servicer(
        users_pb2_grpc.UsersServiceServicer,
        world,
        "optional",
        **{name: lambda request, call, name=name: getattr(u, f"{name}Response")() for name in done},
        DescribeLink=lambda request, call: world.link(request.token),
        BatchListSessions=lambda request, call: u.BatchListSessionsResponse(
            lists=[u.SessionList(traveller_id=id, sessions=world.sessions.get(id, [])) for id in request.traveller_ids]
        ),
        BatchListSecurityEvents=lambda request, call: u.BatchListSecurityEventsResponse(
            pages=[
                u.SecurityEventPage(
                    traveller_id=id,
                    edges=[
                        u.SecurityEventEdge(node=row, cursor=str(number))
                        for number, row in enumerate(world.security_events.get(id, []))
                    ],
                )
                for id in request.traveller_ids
            ]
        ),
        Register=lambda request, call: u.RegisterResponse(),
        Login=lambda request, call: u.LoginResponse(tokens=tokens),
        RefreshTokens=lambda request, call: u.RefreshTokensResponse(tokens=tokens),
        Logout=lambda request, call: u.LogoutResponse(),
        UpdateProfile=lambda request, call: u.UpdateProfileResponse(),
        BatchGetUsers=lambda request, call: u.BatchGetUsersResponse(
            users=[user for user in by_id(request.ids, world.users) if user.id == str(call.signed_in_traveller.id)]
        ),
    )


def destinations(world: World) -> Any:
    def search(request: Any, call: Call) -> Any:
        rows = list(world.trips.values())[: request.page.first]
        edges = [d.TripEdge(node=row, cursor=f"c{index}") for index, row in enumerate(rows)]
        more = len(world.trips) > len(rows)
        return d.SearchTripsResponse(
            edges=edges, page_info=common_pb2.PageInfo(has_next_page=more), total_count=len(world.trips)
        )

    def departures_of(request: Any, call: Call) -> Any:
        pages = [
            d.DeparturePage(
                trip_id=trip,
                edges=[
                    d.DepartureEdge(node=row, cursor="c") for row in world.departures.values() if row.trip_id == trip
                ],
            )
            for trip in request.trip_ids
        ]
        return d.BatchListDeparturesResponse(pages=pages)

    return servicer(
        destinations_pb2_grpc.DestinationsServiceServicer,
        world,
        "optional",
        SearchTrips=search,
        SearchDestinations=lambda request, call: d.SearchDestinationsResponse(
            edges=[d.DestinationEdge(node=row, cursor="c") for row in world.destinations.values()]
        ),
        BatchListDepartures=departures_of,
        BatchGetDestinations=lambda request, call: d.BatchGetDestinationsResponse(
            destinations=by_id(request.ids, world.destinations)
            + [world.destinations[id] for slug, id in world.slugs.items() if slug in request.slugs]
            + [row for row in world.destinations.values() if row.slug in request.slugs]
        ),
        BatchListPhotos=lambda request, call: d.BatchListPhotosResponse(
            photos=[photo for id in (*request.destination_ids, *request.trip_ids) for photo in world.photos.get(id, [])]
        ),
        BatchGetTrips=lambda request, call: d.BatchGetTripsResponse(
            trips=by_id(request.ids, world.trips)
            + [world.trips[id] for slug, id in world.slugs.items() if slug in request.slugs]
        ),
        BatchGetDepartures=lambda request, call: d.BatchGetDeparturesResponse(
            departures=by_id(request.ids, world.departures)
        ),
        Search=lambda request, call: d.SearchResponse(
            edges=[
                *(
                    d.SearchEdge(
                        destination=row,
                        cursor=f"place {index}",
                        highlights=[
                            d.Highlight(
                                field="name",
                                pieces=[d.HighlightPiece(text="Ci", matched=True), d.HighlightPiece(text="ty")],
                            )
                        ],
                    )
                    for index, row in enumerate(world.destinations.values())
                ),
                *(d.SearchEdge(trip=row, cursor="trip") for row in world.trips.values()),
            ],
            total_count=len(world.destinations) + len(world.trips),
            facets=[d.Facet(field="kind", values=[d.FacetValue(value="CITY", label=text("Cities", "Villes"), count=1)])]
            if request.with_facets
            else [],
        ),
        Suggest=lambda request, call: d.SuggestResponse(
            suggestions=[d.Suggestion(text="Walk", trip=row) for row in world.trips.values()][: request.first]
        ),
        ListTags=lambda request, call: d.ListTagsResponse(
            tags=[d.Tag(tag="beach", label=text("Beach", "Plage"), count=18)]
        ),
        BatchGetTripContents=lambda request, call: d.BatchGetTripContentsResponse(
            contents=by_id(request.trip_ids, world.contents)
        ),
        BatchGetVisitingTimes=lambda request, call: d.BatchGetVisitingTimesResponse(
            visiting_times=by_id(request.destination_ids, world.visiting_times)
        ),
        ListExchangeRates=lambda request, call: d.ListExchangeRatesResponse(
            rates=[d.ExchangeRate(currency_code="USD", rate="1.25", as_of="2026-11-20")]
        ),
    )


def bookings(world: World) -> Any:
    def listed(request: Any, call: Call) -> Any:
        rows = [row for row in world.bookings.values() if row.traveller_id == str(call.signed_in_traveller.id)][
            : request.page.first
        ]
        page = b.BookingPage(
            traveller_id=str(call.signed_in_traveller.id),
            edges=[b.BookingEdge(node=row, cursor=row.reference) for row in rows],
            total_count=len(rows),
        )
        return b.BatchListBookingsResponse(pages=[page])

    def events(request: Any, call: Call) -> Any:
        booking = world.own_booking(call, world.by_reference(request.reference))
        newer = [event for event in world.events[booking.id] if event.sequence > request.after_sequence]
        return b.ListBookingEventsResponse(booking=booking, events=newer)

    def histories(request: Any, call: Call) -> Any:
        return b.BatchListBookingEventsResponse(
            histories=[
                b.BookingHistory(
                    booking_id=id, events=[e for e in world.events[id] if e.sequence > request.after_sequence]
                )
                for id in request.booking_ids
            ]
        )

    def quote(request: Any, call: Call) -> Any:
        departure = world.departures.get(request.departure_id)
        total = departure.adult_price if departure else euros(10_000)
        return b.CreateQuoteResponse(
            quote=b.Quote(id=str(uuid7()), departure_id=request.departure_id, total=total, expires_at=timestamp(0.01))
        )

    def join(request: Any, call: Call) -> Any:
        entry = b.WaitlistEntry(
            id=str(uuid7()), departure_id=request.departure_id, seats=request.seats, status=b.WAITLIST_STATUS_WAITING,
            position=1, created_at=timestamp(),
        )  # fmt: skip
        world.waitlist[str(call.signed_in_traveller.id)] = entry
        return b.JoinWaitlistResponse(entry=entry)

    def waitlist(request: Any, call: Call) -> Any:
        own = str(call.signed_in_traveller.id)
        entries = [world.waitlist[own]] if own in world.waitlist else []
        return b.BatchListWaitlistResponse(waitlists=[b.WaitlistOfTraveller(traveller_id=own, entries=entries)])

    def entries(request: Any, call: Call) -> Any:
        own = world.waitlist.get(str(call.signed_in_traveller.id))
        return b.BatchGetWaitlistEntriesResponse(entries=[own] if own and own.id in request.ids else [])

    def sequences(request: Any, call: Call) -> Any:
        rows = [
            b.BookingSequence(booking_id=row.id, traveller_id=row.traveller_id, sequence=row.sequence)
            for row in sorted(world.bookings.values(), key=lambda row: row.id)
            if row.id in request.booking_ids or row.traveller_id in request.traveller_ids
            if row.id > request.after_booking_id
        ]
        seats = [
            b.DepartureSequence(
                departure_id=id, sequence=world.seat_sequences.get(id, 1), seats_available=world.seats.get(id, 7)
            )
            for id in request.departure_ids
        ]
        some = rows[: world.sequences_page]
        return b.BatchGetSequencesResponse(bookings=some, departures=seats, has_more_bookings=len(some) < len(rows))

    return servicer(
        bookings_pb2_grpc.BookingsServiceServicer,
        world,
        "optional",
        BatchListBookings=listed,
        JoinWaitlist=join,
        LeaveWaitlist=lambda request, call: b.LeaveWaitlistResponse(),
        BatchListWaitlist=waitlist,
        BatchGetWaitlistEntries=entries,
        AcceptChange=lambda request, call: b.AcceptChangeResponse(
            booking=world.own_booking(call, world.by_reference(request.reference))
        ),
        RenamePassenger=lambda request, call: b.RenamePassengerResponse(booking=next(iter(world.bookings.values()))),
        BatchGetBookings=lambda request, call: b.BatchGetBookingsResponse(
            bookings=[
                row
                for row in by_id(request.ids, world.bookings)
                if row.traveller_id == str(call.signed_in_traveller.id)
            ]
        ),
        GetBooking=lambda request, call: b.GetBookingResponse(
            booking=world.own_booking(call, world.by_reference(request.reference))
        ),
        GetQuote=lambda request, call: _not_found(),
        GetCancellationQuote=lambda request, call: _not_found(),
        BatchGetPayments=lambda request, call: b.BatchGetPaymentsResponse(),
        BatchGetRefunds=lambda request, call: b.BatchGetRefundsResponse(),
        BatchGetSequences=sequences,
        ListBookingEvents=events,
        BatchListBookingEvents=histories,
        CreateQuote=quote,
        CreateBooking=lambda request, call: b.CreateBookingResponse(booking=next(iter(world.bookings.values()))),
        PayBooking=lambda request, call: b.PayBookingResponse(
            payment=b.Payment(
                id=str(uuid7()),
                amount=euros(10_000),
                status=b.PAYMENT_STATUS_SUCCEEDED,
                provider="sandbox",
                created_at=timestamp(),
            ),
            booking=next(iter(world.bookings.values())),
        ),
        BatchGetAvailability=lambda request, call: b.BatchGetAvailabilityResponse(
            availabilities=[
                b.Availability(departure_id=id, seats_available=world.seats.get(id, 7)) for id in request.departure_ids
            ]
        ),
    )


def notifications(world: World) -> Any:
    def invoices(request: Any, call: Call) -> Any:
        return n.BatchListBookingInvoicesResponse(
            bookings=[
                n.BookingInvoices(
                    booking_id=id, invoices=[_invoice(n.INVOICE_KIND_INVOICE), _invoice(n.INVOICE_KIND_CREDIT_NOTE)]
                )
                for id in request.booking_ids
            ]
        )

    return servicer(
        notifications_pb2_grpc.NotificationsServiceServicer,
        world,
        "optional",
        BatchListBookingInvoices=invoices,
        BatchGetInvoices=lambda request, call: n.BatchGetInvoicesResponse(),
        BatchGetNotifications=lambda request, call: n.BatchGetNotificationsResponse(),
        BatchListNotifications=lambda request, call: n.BatchListNotificationsResponse(),
        BatchListInvoices=lambda request, call: n.BatchListInvoicesResponse(),
    )


def _invoice(kind: Any) -> n.Invoice:
    return n.Invoice(
        id=str(uuid7()),
        number="2026-000001",
        kind=kind,
        booking_reference="REF",
        total=euros(1),
        issued_at=timestamp(),
        pdf_url="x",
    )


def _not_found() -> Any:
    raise NotFound
