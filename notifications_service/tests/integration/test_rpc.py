"""travel.notifications.v1 over a real server: travellers get their own data, in pages, and nobody else's."""

from collections.abc import Iterator

import grpc
import pytest
from django.db import transaction

from contracts.travel.common.v1 import common_pb2
from contracts.travel.notifications.v1 import notifications_pb2 as pb
from contracts.travel.notifications.v1 import notifications_pb2_grpc
from notifications_service.notifications.rpc.servicer import NotificationsServicer
from notifications_service.tests.factories import confirmed, handle
from shared.auth import testing as auth
from shared.ids import uuid7
from shared.rpc.testing import running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def stub() -> Iterator[notifications_pb2_grpc.NotificationsServiceStub]:
    """Return a client of the service, which runs as in production."""

    def add(server: grpc.aio.Server) -> None:
        notifications_pb2_grpc.add_NotificationsServiceServicer_to_server(NotificationsServicer(), server)

    with running(add) as server, grpc.insecure_channel(server.address) as channel:
        yield notifications_pb2_grpc.NotificationsServiceStub(channel)


def metadata(person_id=None, caller="gateway"):
    """Return the metadata of a call by `caller` for the person."""
    pairs = [("x-service-credential", auth.credential_of(caller, "notifications"))]
    return [*pairs, ("authorization", f"Bearer {auth.mint_access_token(person_id)}")] if person_id else pairs


def booked(person_id):
    with transaction.atomic():
        return handle(confirmed(person_id))


def test_pages_have_the_travellers_own_items_newest_first(stub):
    person, other = uuid7(), uuid7()
    for _ in range(3):
        booked(person)
    booked(other)
    page = common_pb2.PageRequest(first=2)

    answer = stub.BatchListInvoices(
        pb.BatchListInvoicesRequest(person_ids=[str(person), str(other)], page=page), metadata=metadata(person)
    )

    mine, theirs = answer.pages
    assert [edge.node.number[-1] for edge in mine.edges] == ["3", "2"]
    assert mine.page_info.has_next_page
    assert not theirs.edges
    after = common_pb2.PageRequest(first=2, after=mine.edges[-1].cursor)
    (rest,) = stub.BatchListInvoices(
        pb.BatchListInvoicesRequest(person_ids=[str(person)], page=after), metadata=metadata(person)
    ).pages
    assert [edge.node.number[-1] for edge in rest.edges] == ["1"]
    assert not rest.page_info.has_next_page
    (notifications,) = stub.BatchListNotifications(
        pb.BatchListNotificationsRequest(person_ids=[str(person)]), metadata=metadata(person)
    ).pages
    assert [edge.node.template for edge in notifications.edges] == ["booking_confirmed"] * 6


def test_an_invoice_of_somebody_else_looks_unknown(stub):
    person, other = uuid7(), uuid7()
    booked(other)
    (page,) = stub.BatchListInvoices(
        pb.BatchListInvoicesRequest(person_ids=[str(other)]), metadata=metadata(other)
    ).pages
    invoice = page.edges[0].node
    for id_ in (invoice.id, str(uuid7())):
        with pytest.raises(grpc.RpcError) as refused:
            stub.GetInvoice(pb.GetInvoiceRequest(id=id_), metadata=metadata(person))
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    assert not stub.BatchGetInvoices(pb.BatchGetInvoicesRequest(ids=[invoice.id]), metadata=metadata(person)).invoices
    (documents,) = stub.BatchListBookingInvoices(
        pb.BatchListBookingInvoicesRequest(booking_ids=[invoice.booking_id]), metadata=metadata(person)
    ).bookings
    assert not documents.invoices
    own = stub.GetInvoice(pb.GetInvoiceRequest(id=invoice.id), metadata=metadata(other)).invoice
    assert (own.number, own.total.minor_units, own.booking_reference) == (invoice.number, 175230, "K7QX4MPR")
    assert f"/api/v1/invoices/{invoice.id}/pdf/?token=" in own.pdf_url


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([], grpc.StatusCode.UNAUTHENTICATED),
        (metadata, grpc.StatusCode.UNAUTHENTICATED),
        (lambda: metadata(uuid7(), caller="bookings"), grpc.StatusCode.PERMISSION_DENIED),
    ],
)
def test_only_the_gateway_may_call_and_only_for_a_traveller(stub, pairs, code):
    with pytest.raises(grpc.RpcError) as refused:
        stub.GetInvoice(pb.GetInvoiceRequest(id=str(uuid7())), metadata=pairs() if callable(pairs) else pairs)
    assert refused.value.code() is code


@pytest.mark.parametrize(
    "page",
    [
        common_pb2.PageRequest(first=101),
        common_pb2.PageRequest(first=-1),
        common_pb2.PageRequest(after="AAAA"),
        common_pb2.PageRequest(after="é"),
    ],
)
def test_an_impossible_page_request_is_refused(stub, page):
    person = uuid7()
    with pytest.raises(grpc.RpcError) as refused:
        stub.BatchListInvoices(
            pb.BatchListInvoicesRequest(person_ids=[str(person)], page=page), metadata=metadata(person)
        )
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_cursor_of_another_list_is_refused(stub):
    person = uuid7()
    booked(person)
    (page,) = stub.BatchListInvoices(
        pb.BatchListInvoicesRequest(person_ids=[str(person)]), metadata=metadata(person)
    ).pages
    after = common_pb2.PageRequest(after=page.edges[0].cursor)
    with pytest.raises(grpc.RpcError) as refused:
        stub.BatchListNotifications(
            pb.BatchListNotificationsRequest(person_ids=[str(person)], page=after), metadata=metadata(person)
        )
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_staff_of_bookings_see_the_messages_about_a_booking(stub):
    (notification, *_) = booked(uuid7())
    booked(uuid7())
    request = pb.ListBookingMessagesRequest(booking_id=str(notification.booking_id))

    answer = stub.ListBookingMessages(request, metadata=metadata(caller="bookings"))

    assert sorted(message.channel for message in answer.notifications) == [pb.CHANNEL_EMAIL, pb.CHANNEL_SMS]
    assert [invoice.kind for invoice in answer.invoices] == [pb.INVOICE_KIND_INVOICE]
    with pytest.raises(grpc.RpcError) as refused:
        stub.ListBookingMessages(request, metadata=metadata(uuid7()))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
