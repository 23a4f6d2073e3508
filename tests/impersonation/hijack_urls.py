"""A site with django-hijack."""

from django.http import HttpRequest, JsonResponse
from django.urls import include, path


def who(request: HttpRequest) -> JsonResponse:
    impersonator = request.impersonator  # type: ignore[attr-defined]
    return JsonResponse(
        {
            "user": request.user.get_username(),
            "sub": request.logto.sub,  # type: ignore[attr-defined]
            "impersonator": impersonator.get_username() if impersonator else None,
        }
    )


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("hijack/", include("hijack.urls")),
    path("", who),
]
