from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The API of the shop: books, orders, and the stock of the branches."""

    name = "bookstore.api"
    label = "bookstore_api"
