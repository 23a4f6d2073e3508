from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The shop for programs: books, orders, and the stock of the branches."""

    name = "bookstore.api"
    label = "bookstore_api"
