"""Addresses of payments."""

from django.urls import path

from bookings_service.payments.api import views

urlpatterns = [
    path("bookings/<str:reference>/payments/", views.PaymentsView.as_view()),
    path("payments/webhooks/<str:provider>/", views.WebhookView.as_view()),
]
