"""Settings of users_service. Every value comes from the environment."""

from datetime import timedelta

from shared.settings import base, web
from shared.settings.database import POOL_SIZE, database
from shared.settings.env import env
from shared.settings.security import secrets

globals().update(
    base.with_admin(
        "users",
        apps=["shared.outbox", "shared.inbox", "users_service.accounts"],
        title="Accounts",
        symbol="group",
        description="Accounts, sessions and profiles of travellers.",
    )
)

MIDDLEWARE = list(web.MIDDLEWARE)
# The staff of this service's admin are its own accounts: no other service is asked.
AUTHENTICATION_BACKENDS = ["users_service.accounts.backends.AccountBackend"]
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [{"NAME": "users_service.accounts.validators.AccountPasswordValidator"}]
PASSWORD_HASHERS = [
    "users_service.accounts.passwords.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of accounts made without this setting, until they sign in
]

ACCESS_TOKEN_LIFETIME = timedelta(seconds=env.whole_number("ACCESS_TOKEN_SECONDS", default=300))
REFRESH_TOKEN_LIFETIME = timedelta(days=env.whole_number("REFRESH_TOKEN_DAYS", default=30))
TOKEN_LEEWAY = timedelta(seconds=env.whole_number("TOKEN_LEEWAY_SECONDS", default=30))
REFRESH_GRACE = timedelta(seconds=env.whole_number("REFRESH_GRACE_SECONDS", default=10))
# Newest first. The first makes what is new, the others still open what was made before a rotation.
SIGNING_KEYS_SECRETS = secrets("SIGNING_KEYS_SECRET")  # encrypt the signing keys in the database
REFRESH_TOKEN_SECRETS = secrets("REFRESH_TOKEN_SECRET")
SESSION_LIFETIME = timedelta(days=env.whole_number("SESSION_DAYS", default=180))
SESSIONS_PER_ACCOUNT = env.whole_number("SESSIONS_PER_ACCOUNT", default=50)
REGISTRATION_LIFETIME = timedelta(days=1)
RECENT_SIGN_IN = timedelta(minutes=10)
PHONE_CODE_LIFETIME = timedelta(minutes=10)
# By purpose of the link (LinkPurpose).
LINK_LIFETIMES = {
    "VERIFY_EMAIL": REGISTRATION_LIFETIME,
    "ALREADY_REGISTERED": timedelta(days=1),
    "NOBODY": timedelta(days=1),
    "RESET_PASSWORD": timedelta(minutes=60),
    "CONFIRM_EMAIL_CHANGE": timedelta(days=1),
    "EMAIL_CHANGED": timedelta(days=7),
    "EMAIL_CHANGE_REQUESTED": timedelta(days=7),
    "PASSWORD_CHANGED": timedelta(days=7),
    "PHONE_CHANGED": timedelta(days=7),
    "NEW_DEVICE": timedelta(days=7),
    "REUSE_DETECTED": timedelta(days=7),
    "SESSIONS_ENDED": timedelta(days=7),
}

MAIL_REQUEST_LIMIT_NETWORK = env.whole_number("MAIL_REQUEST_LIMIT_NETWORK", default=60)
MAIL_REQUEST_LIMIT_ADDRESS = env.whole_number("MAIL_REQUEST_LIMIT_ADDRESS", default=5)
PHONE_CODE_LIMIT = env.whole_number("PHONE_CODE_LIMIT", default=5)
HASHES_AT_ONCE = env.whole_number("HASHES_AT_ONCE", default=1)
HASHES_WAITING = env.whole_number("HASHES_WAITING", default=4)
SIGN_INS_WAITING = env.whole_number("SIGN_INS_WAITING", default=95)
# The gRPC server has a thread for each of these hashes in addition to those of its other methods.
DATABASES = database("users", threads=POOL_SIZE + HASHES_AT_ONCE + HASHES_WAITING)

SIMPLE_JWT = {
    "ALGORITHM": "EdDSA",
    "SIGNING_KEY": "",  # never used: users_service.accounts.tokens signs with the keys of the database
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "TOKEN_TYPE_CLAIM": "token_use",
    "USER_ID_CLAIM": "sub",
    "USER_ID_FIELD": "id",
    "CHECK_REVOKE_TOKEN": False,
}
