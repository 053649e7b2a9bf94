"""Addresses of accounts."""

from django.urls import path

from users_service.accounts.api import owner_views, security_views, views

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view()),
    path("auth/verify-email/", views.VerifyEmailView.as_view()),
    path("auth/resend-verification/", views.ResendVerificationView.as_view()),
    path("auth/login/", views.LoginView.as_view()),
    path("auth/refresh/", views.RefreshView.as_view()),
    path("auth/logout/", views.LogoutView.as_view()),
    path("auth/request-password-reset/", security_views.RequestPasswordResetView.as_view()),
    path("auth/reset-password/", security_views.ResetPasswordView.as_view()),
    path("auth/confirm-email-change/", security_views.ConfirmEmailChangeView.as_view()),
    path("auth/undo-email-change/", security_views.UndoEmailChangeView.as_view()),
    path("auth/disown-change/", security_views.DisownChangeView.as_view()),
    path("auth/describe-link/", security_views.DescribeLinkView.as_view()),
    path("profile/change-password/", security_views.ChangePasswordView.as_view()),
    path("profile/change-email/", security_views.ChangeEmailView.as_view()),
    path("profile/verify-phone/", security_views.VerifyPhoneView.as_view()),
    path("profile/", views.ProfileDetail.as_view()),
    path("profile/sessions/", owner_views.SessionList.as_view()),
    path("profile/sessions/<uuid:session_id>/", owner_views.SessionDetail.as_view()),
    path("profile/security-events/", owner_views.SecurityEventList.as_view()),
]
