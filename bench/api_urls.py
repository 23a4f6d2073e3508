"""One view of Django REST framework, behind each way to find out who calls it."""

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


class MozillaBackend(OIDCAuthenticationBackend):
    """As the package has it; a class of its own, so that nothing of ours is under it."""


class Page(APIView):
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})


urlpatterns = [
    path("by-session", Page.as_view(authentication_classes=[SessionAuthentication])),
    path("by-token", Page.as_view(authentication_classes=[LogtoAuthentication])),
    path("by-mozilla", Page.as_view(authentication_classes=[OIDCAuthentication])),
]
