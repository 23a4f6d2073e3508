"""One view of Django REST framework, with each way to authenticate its caller."""

from django.urls import path
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.contrib.drf import OIDCAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.rest_framework import LogtoAuthentication

from .by_hand import ByHandAuthentication


class MozillaBackend(OIDCAuthenticationBackend):
    """The class of mozilla-django-oidc in a subclass of its own, without any code of this package."""


class KeyAuthentication(LogtoAuthentication):
    accepts_api_keys = True


class Page(APIView):
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})


urlpatterns = [
    path("by-session", Page.as_view(authentication_classes=[SessionAuthentication])),
    path("by-hand", Page.as_view(authentication_classes=[ByHandAuthentication])),
    path("by-token", Page.as_view(authentication_classes=[LogtoAuthentication])),
    path("by-key", Page.as_view(authentication_classes=[KeyAuthentication])),
    path("by-mozilla", Page.as_view(authentication_classes=[OIDCAuthentication])),
]
