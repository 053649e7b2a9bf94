"""REST and its OpenAPI."""

from shared.settings.rest import rest_framework, spectacular

REST_FRAMEWORK = rest_framework()
SPECTACULAR_SETTINGS = spectacular(title="Catalogue", description="Places, photos, prices, trips and their departures.")
