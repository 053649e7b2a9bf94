"""What the audit log writes."""

from enum import StrEnum


class AuditAction(StrEnum):
    """Everything that the audit log writes about an account. The values are public: they are the types of security
    events, and must never change.
    """

    REGISTERED = "registered"
    PROFILE_UPDATED = "profile_updated"
    SIGNED_IN = "signed_in"
    SIGNED_IN_FROM_NEW_DEVICE = "signed_in_from_new_device"
    SIGN_IN_REFUSED = "sign_in_refused"
    STAFF_SIGNED_IN = "staff_signed_in"
    STAFF_SIGN_IN_REFUSED = "staff_sign_in_refused"
    SIGNED_OUT = "signed_out"
    SESSION_REVOKED = "session_revoked"  # by its owner, from the list of sessions
    SESSION_ENDED = "session_ended"  # because of a change of the account, or of too many sessions
    REUSE_DETECTED = "reuse_detected"  # of a refresh token
    PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105 — a name
    PASSWORD_RESET = "password_reset"  # noqa: S105 — a name
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 — a name
    PASSWORD_CHANGE_REFUSED = "password_change_refused"  # noqa: S105 — a name
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGE_REFUSED = "email_change_refused"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGE_UNDONE = "email_change_undone"
    CHANGE_DISOWNED = "change_disowned"
    PHONE_CODE_REQUESTED = "phone_code_requested"
    PHONE_VERIFICATION_REFUSED = "phone_verification_refused"
    PHONE_VERIFIED = "phone_verified"
    LINK_REFUSED = "link_refused"  # a mailed link that was used, replaced, void or too old
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_REOPENED = "account_reopened"
