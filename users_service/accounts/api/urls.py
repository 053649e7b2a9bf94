"""Addresses of accounts."""

from django.urls import path

from users_service.accounts.api import views

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view()),
    path("auth/verify-email/", views.VerifyEmailView.as_view()),
    path("auth/resend-verification/", views.ResendVerificationView.as_view()),
    path("auth/login/", views.LoginView.as_view()),
    path("auth/refresh/", views.RefreshView.as_view()),
    path("auth/logout/", views.LogoutView.as_view()),
    path("profile/", views.ProfileDetail.as_view()),
]
