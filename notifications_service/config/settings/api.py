"""REST and its OpenAPI."""

from shared.settings.rest import rest_framework, spectacular

REST_FRAMEWORK = rest_framework()
SPECTACULAR_SETTINGS = spectacular(
    title="Notifications", description="What a traveller was told, and their invoices and credit notes."
)
