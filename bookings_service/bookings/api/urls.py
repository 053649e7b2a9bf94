"""The addresses of quotes, bookings, payments, the waiting list, and the actions of staff."""

from django.urls import path

from bookings_service.bookings.api import payments, staff, views, waitlist

urlpatterns = [
    path("quotes/", views.QuotesView.as_view()),
    path("quotes/<uuid:quote_id>/", views.QuoteView.as_view()),
    path("bookings/", views.BookingsView.as_view()),
    path("bookings/<str:reference>/", views.BookingView.as_view()),
    path("bookings/<str:reference>/history/", views.HistoryView.as_view()),
    path("bookings/<str:reference>/cancellation-quotes/", views.CancellationQuotesView.as_view()),
    path("cancellation-quotes/<uuid:quote_id>/confirm/", views.CancellationView.as_view()),
    path("passengers/<uuid:passenger_id>/", waitlist.PassengerView.as_view()),
    path("waitlist/", waitlist.WaitlistView.as_view()),
    path("waitlist/<uuid:entry_id>/", waitlist.WaitlistEntryView.as_view()),
    path("bookings/<str:reference>/payments/", payments.PaymentsView.as_view()),
    path("payments/webhooks/<str:provider>/", payments.WebhookView.as_view()),
    path("staff/bookings/<str:reference>/cancellation-quotes/", staff.StaffCancellationQuotesView.as_view()),
    path("staff/bookings/<str:reference>/refunds/", staff.StaffRefundsView.as_view()),
    path("staff/cancellation-quotes/<uuid:quote_id>/confirm/", staff.StaffCancellationView.as_view()),
    path("staff/refunds/<uuid:refund_id>/retry/", staff.RetryView.as_view()),
    path("staff/refunds/<uuid:refund_id>/write-off/", staff.WriteOffView.as_view()),
]
