"""Addresses of payments."""

from django.urls import path

from bookings_service.payments.api import staff, views

urlpatterns = [
    path("bookings/<str:reference>/payments/", views.PaymentsView.as_view()),
    path("payments/webhooks/<str:provider>/", views.WebhookView.as_view()),
    path("staff/bookings/<str:reference>/cancellation-quotes/", staff.StaffCancellationQuotesView.as_view()),
    path("staff/bookings/<str:reference>/refunds/", staff.StaffRefundsView.as_view()),
    path("staff/cancellation-quotes/<uuid:quote_id>/confirm/", staff.StaffCancellationView.as_view()),
    path("staff/refunds/<uuid:refund_id>/retry/", staff.RetryView.as_view()),
    path("staff/refunds/<uuid:refund_id>/write-off/", staff.WriteOffView.as_view()),
]
