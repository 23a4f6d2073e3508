from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Shared code: the demo command, the security policy, two template filters."""

    name = "bookstore.core"
    label = "bookstore_core"
