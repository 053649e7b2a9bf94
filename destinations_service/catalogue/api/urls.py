"""URLs of the catalogue."""

from django.urls import path

from destinations_service.catalogue.api import views

urlpatterns = [
    path("destinations/", views.DestinationsView.as_view()),
    path("destinations/<slug:slug>/", views.DestinationView.as_view()),
    path("trips/", views.TripsView.as_view()),
    path("trips/<slug:slug>/", views.TripView.as_view()),
    path("trips/<slug:slug>/departures/", views.DeparturesView.as_view()),
    path("departures/<uuid:departure_id>/", views.DepartureView.as_view()),
]
