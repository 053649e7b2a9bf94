"""URLs of notifications."""

from rest_framework.routers import SimpleRouter

from notifications_service.notifications.api.views import NotificationViewSet

router = SimpleRouter(use_regex_path=False)
router.register("notifications", NotificationViewSet, basename="notification")

urlpatterns = router.urls
