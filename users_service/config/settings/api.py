"""REST and its OpenAPI."""

from shared.settings.rest import rest_framework, spectacular

REST_FRAMEWORK = rest_framework()
SPECTACULAR_SETTINGS = spectacular(title="Accounts", description="Accounts, sessions and profiles of travellers.")
