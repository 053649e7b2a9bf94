"""The URLs of quotes, bookings, payments, the waiting list, and the actions of staff."""

from django.urls import path

from bookings_service.bookings.api import passengers, payments, staff, views, waitlist

urlpatterns = [
    path("quotes/", views.QuoteCreate.as_view()),
    path("quotes/<uuid:quote_id>/", views.QuoteDetail.as_view()),
    path("bookings/", views.BookingList.as_view()),
    path("bookings/<str:reference>/", views.BookingDetail.as_view()),
    path("bookings/<str:reference>/history/", views.BookingHistory.as_view()),
    path("bookings/<str:reference>/accept-change/", views.ChangeAcceptance.as_view()),
    path("bookings/<str:reference>/cancellation-quotes/", views.CancellationQuoteCreate.as_view()),
    path("cancellation-quotes/<uuid:quote_id>/confirm/", views.CancellationConfirm.as_view()),
    path("passengers/<uuid:passenger_id>/", passengers.PassengerDetail.as_view()),
    path("waitlist/", waitlist.WaitlistEntryList.as_view()),
    path("waitlist/<uuid:entry_id>/", waitlist.WaitlistEntryDetail.as_view()),
    path("bookings/<str:reference>/payments/", payments.PaymentCreate.as_view()),
    path("payments/webhooks/<str:provider>/", payments.WebhookReceiver.as_view()),
    path("staff/bookings/<str:reference>/cancellation-quotes/", staff.StaffCancellationQuoteCreate.as_view()),
    path("staff/bookings/<str:reference>/refunds/", staff.StaffRefundCreate.as_view()),
    path("staff/cancellation-quotes/<uuid:quote_id>/confirm/", staff.StaffCancellationConfirm.as_view()),
    path("staff/refunds/<uuid:refund_id>/retry/", staff.RefundRetry.as_view()),
    path("staff/refunds/<uuid:refund_id>/write-off/", staff.RefundWriteOff.as_view()),
]
