"""The traveller's own invoices and credit notes over REST, each with its PDF. One domain call per view."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from notifications_service.billing import links, selectors, services
from notifications_service.billing.api.serializers import InvoiceSerializer
from notifications_service.billing.documents.pdf import file_name
from notifications_service.billing.models import Invoice
from shared.auth.drf import traveller_of
from shared.errors import Invalid, NotFound, Unauthenticated, Unavailable
from shared.http.openapi import refusals
from shared.http.query import refuse_other_parameters


class InvoiceViewSet(GenericViewSet[Invoice]):
    """Invoices and credit notes as issued."""

    serializer_class = InvoiceSerializer
    queryset = Invoice.objects.none()
    lookup_value_converter = "uuid"

    @extend_schema(responses={200: InvoiceSerializer(many=True), **refusals(Invalid, Unauthenticated)})
    def list(self, request: Request) -> Response:
        """List the traveller's invoices and credit notes, newest first."""
        refuse_other_parameters(request, ())
        page = self.paginate_queryset(selectors.invoices_of_person(person_id=traveller_of(request).id)) or []
        return self.get_paginated_response(InvoiceSerializer(map(selectors.to_header, page), many=True).data)

    @extend_schema(responses={200: InvoiceSerializer, **refusals(Unauthenticated, NotFound)})
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Show one of the traveller's documents."""
        return Response(InvoiceSerializer(selectors.get_header(invoice_id=pk, person_id=traveller_of(request).id)).data)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "token",
                str,
                description="The token of a short-lived link. Without it, the owner's bearer token is required.",
            )
        ],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, **refusals(NotFound, Unavailable)},
    )
    @action(detail=True, permission_classes=[AllowAny], url_path="pdf")
    def pdf(self, request: Request, pk: UUID) -> HttpResponse:
        """Return the document as PDF, for its owner's token or by a short-lived link. Otherwise answer 404."""
        if token := request.query_params.get("token"):
            links.check(invoice_id=pk, token=token)
            invoice = selectors.get_invoice(invoice_id=pk)
        elif request.user is not None:
            invoice = selectors.get_invoice(invoice_id=pk, person_id=traveller_of(request).id)
        else:
            raise NotFound
        return HttpResponse(
            services.document_pdf(invoice=invoice, ask=services.ask_recipient),
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'inline; filename="{file_name(invoice)}"',
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )
