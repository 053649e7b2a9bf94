"""Accounts as a Django app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts, sessions, tokens and profiles."""

    name = "users_service.accounts"
    label = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the process sign with a new key as soon as it learns that the keys have changed."""
        from shared.account_feed import account_feed
        from users_service.accounts import signing  # not earlier: it imports the models

        account_feed().on_keys_changed.append(signing.forget)
