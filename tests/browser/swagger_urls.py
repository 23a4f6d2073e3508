"""A site whose API documentation signs in, with views for tokens only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from logto_auth.contrib.rest_framework import HasScope, LogtoAuthentication
from logto_auth.contrib.swagger import LogtoSwaggerSplitView


class BookSerializer(Serializer):
    """Without fields: these tests are not about the bodies."""


class Books(APIView):
    """The books of the editor."""

    authentication_classes = [LogtoAuthentication]
    permission_classes = [HasScope("write:books")]
    serializer_class = BookSerializer

    def get(self, request: Request) -> Response:
        """Return who calls."""
        return Response({"caller": request.user.get_username(), "scopes": sorted(request.logto.scopes)})


class StrictPage(LogtoSwaggerSplitView):
    """The page with the strictest policy that Swagger UI works with: it draws its icons from `data:`."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = (
            f"default-src 'self'; img-src 'self' data:; connect-src 'self' {settings.LOGTO_ENDPOINT}"
        )
        return response


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("api/books/", Books.as_view()),
    path("api/docs/", StrictPage.as_view(url_name="logto_api_docs:schema")),
    path("api/docs/", include("logto_auth.contrib.swagger_urls")),
]
