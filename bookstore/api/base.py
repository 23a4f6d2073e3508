"""What all API views share: JSON, pagination, and error codes."""

from collections.abc import Callable

from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer

from logto_auth.contrib.rest_framework import LogtoAuthentication

from .errors import with_code


class Pages(PageNumberPagination):
    """A page of a list, with the URLs of the next and the previous page."""

    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 100


class TokenOrKeyAuthentication(LogtoAuthentication):
    """Authenticate by an access token, or by an API key of a user, for scripts that cannot sign anybody in.

    It is for views that name a permission: a key can do only that. The view of orders names none, so that a stolen key
    could order books there. It accepts no keys.
    """

    accepts_api_keys = True


class ShopAPI:
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    pagination_class = Pages

    def get_exception_handler(self) -> Callable:
        return with_code
