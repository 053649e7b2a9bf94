"""Rewrite addresses to the form that is stored today: without it, their owners cannot sign in.

An account stays as it is if its address is not valid today, or if another account has the canonical form. Its id is
printed, without the address.
"""

from django.db import migrations
from django.db.models import Exists

from users_service.accounts.domain import fold


def rewrite(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    PendingRegistration = apps.get_model("accounts", "PendingRegistration")
    for user_id, email, folded in _not_canonical(User):
        others = User.objects.filter(email=folded)
        if not folded or not User.objects.filter(~Exists(others), id=user_id, email=email).update(email=folded):
            why = "another account has its canonical form" if folded else "it is not valid"
            print(f"The address of account {user_id} stays as it is, because {why}.")  # noqa: T201 — for the operator
    for registration_id, _, folded in _not_canonical(PendingRegistration):
        if folded:
            PendingRegistration.objects.filter(id=registration_id).update(email=folded)


def _not_canonical(model):
    """Yield the id, the address and its canonical form, the oldest first."""
    for row_id, email in model.objects.order_by("created_at", "id").values_list("id", "email").iterator(1_000):
        if email != fold(email):
            yield row_id, email, fold(email)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_longer_link_purposes")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
