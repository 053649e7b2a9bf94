"""URLs of billing."""

from rest_framework.routers import SimpleRouter

from notifications_service.billing.api.views import InvoiceViewSet

router = SimpleRouter(use_regex_path=False)
router.register("invoices", InvoiceViewSet, basename="invoice")

urlpatterns = router.urls
