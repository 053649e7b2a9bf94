"""One factory per model."""

from functools import cache

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from users_service.accounts.models import Profile, User

PASSWORD = "a quiet harbour 42"


@cache
def hashed() -> str:
    """Return the hash of PASSWORD. It is made only once, because each hash takes thirty milliseconds."""
    return make_password(PASSWORD)


class ProfileFactory(factory.django.DjangoModelFactory):
    """A profile."""

    class Meta:
        model = Profile

    first_name = "Ann"
    last_name = "O’Hara"


class UserFactory(factory.django.DjangoModelFactory):
    """A verified account with a profile and PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person-{number}@example.org")
    password = factory.LazyFunction(hashed)
    email_verified_at = factory.LazyFunction(timezone.now)
    profile = factory.RelatedFactory(ProfileFactory, factory_related_name="user")
