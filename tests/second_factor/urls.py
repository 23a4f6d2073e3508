"""The URLs of a small site with pages that need a second factor."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from logto_auth.admin_site import LogtoAdminSite
from logto_auth.decorators import recent_sign_in_required, second_factor_required


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


@second_factor_required
def vault(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the vault")


@second_factor_required(methods=("WebAuthn",))
def passkey_vault(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the vault for passkeys")


@second_factor_required(max_age=300)
def fresh_vault(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the vault, just opened")


@recent_sign_in_required()
def desk(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the desk")


admin_site = LogtoAdminSite()

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("admin/", admin_site.urls),
    path("vault/", vault),
    path("passkey-vault/", passkey_vault),
    path("fresh-vault/", fresh_vault),
    path("desk/", desk),
    path("", home),
]
