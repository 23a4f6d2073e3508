"""Answers that a program can act upon: every refusal that is no field's fault has a `code` beside its words.

A field's faults come as `{"<field>": ["<words>", ...]}`, as REST framework has them.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler


class ErrorResponse(APIException):
    """The request could be read, and is not carried out. `more` goes into the body too."""

    def __init__(self, detail: str, code: str, *, status: int = 409, **more: Any) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.more = more


class RefusalSerializer(serializers.Serializer):
    """Why a request was not carried out."""

    code = serializers.CharField()
    detail = serializers.CharField()


def with_code(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's answer to an error, with its code and whatever else the error tells."""
    response = exception_handler(error, context)
    if response is not None and "detail" in response.data:
        more = error.more if isinstance(error, ErrorResponse) else {}
        response.data = {"code": response.data["detail"].code, **response.data, **more}
    return response
