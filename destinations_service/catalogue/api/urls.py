"""URLs of the catalogue."""

from django.urls import path

from destinations_service.catalogue.api import content, departures, places, search, views

urlpatterns = [
    path("search/", search.SearchView.as_view()),
    path("suggest/", search.SuggestView.as_view()),
    path("tags/", search.TagsView.as_view()),
    path("destinations/", places.DestinationList.as_view()),
    path("destinations/<slug:slug>/", places.DestinationDetail.as_view()),
    path("destinations/<slug:slug>/prices/", places.PriceList.as_view()),
    path("destinations/<slug:slug>/photos/", places.PhotoList.as_view()),
    path("destinations/<slug:slug>/visiting-times/", content.VisitingTimes.as_view()),
    path("trips/", views.TripList.as_view()),
    path("trips/<slug:slug>/", views.TripDetail.as_view()),
    path("trips/<slug:slug>/content/", content.TripContent.as_view()),
    path("trips/<slug:slug>/departures/", departures.DepartureList.as_view()),
    path("departures/<uuid:departure_id>/", departures.DepartureDetail.as_view()),
]
