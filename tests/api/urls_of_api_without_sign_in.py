"""An API without the pages of a sign-in, and with sessions that begin elsewhere."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.rest_framework import HasSecondFactor, LogtoAuthentication


class Protected(APIView):
    authentication_classes = [LogtoAuthentication, SessionAuthentication]
    permission_classes = [HasSecondFactor()]

    def get(self, request: Request) -> Response:
        return Response()


urlpatterns = [path("", include("logto_auth.api_urls")), path("drf", Protected.as_view())]
