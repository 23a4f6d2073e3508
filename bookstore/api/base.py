"""What all API views share: JSON, pagination, and error codes."""

from collections.abc import Callable

from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer

from .errors import with_code


class Pages(PageNumberPagination):
    """A page of a list, with the URLs of the next and the previous page."""

    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 100


class ShopAPI:
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    pagination_class = Pages

    def get_exception_handler(self) -> Callable:
        return with_code
