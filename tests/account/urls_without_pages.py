"""A site that requires the security verification, and does not have its page."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import View

from logto_auth.decorators import verification_required
from logto_auth.mixins import VerificationRequiredMixin


@verification_required
def payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


class Payment(VerificationRequiredMixin, View):
    pass


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("payment/", payment),
    path("shop/", include([path("payment/", Payment.as_view(), name="payment-in-shop")])),
]
