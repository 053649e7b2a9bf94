"""The catalogue for its editors. Every save goes through the services, so that other services learn of it."""

from destinations_service.catalogue.admin import departures, destinations, rates, trips

__all__ = ["departures", "destinations", "rates", "trips"]
