"""Addresses of accounts."""

from django.urls import path

from users_service.accounts.api import owner_views, views

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view()),
    path("auth/verify-email/", views.VerifyEmailView.as_view()),
    path("auth/resend-verification/", views.ResendVerificationView.as_view()),
    path("auth/login/", views.LoginView.as_view()),
    path("auth/refresh/", views.RefreshView.as_view()),
    path("auth/logout/", views.LogoutView.as_view()),
    path("profile/", views.ProfileDetail.as_view()),
    path("profile/sessions/", owner_views.SessionList.as_view()),
    path("profile/sessions/<uuid:session_id>/", owner_views.SessionDetail.as_view()),
    path("profile/security-events/", owner_views.SecurityEventList.as_view()),
]
