"""Error responses for programs: each has a `code` and a `detail`.

Errors of fields are `{"<field>": ["<message>", ...]}`, as in REST framework.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler


class RequestRejected(APIException):
    """The request is valid and is not processed. `more` is added to the body."""

    def __init__(self, detail: str, code: str, *, status: int = 409, **more: Any) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.more = more


class ErrorSerializer(serializers.Serializer):
    """Why a request was not processed."""

    code = serializers.CharField()
    detail = serializers.CharField()


def with_code(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return REST framework's response to an error, with its code and the additional fields."""
    response = exception_handler(error, context)
    if response is not None and "detail" in response.data:
        more = error.more if isinstance(error, RequestRejected) else {}
        response.data = {"code": response.data["detail"].code, **response.data, **more}
    return response
