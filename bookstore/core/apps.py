from django.apps import AppConfig


class CoreConfig(AppConfig):
    """What the other apps share: the demo command, the security policy, two template filters."""

    name = "bookstore.core"
    label = "bookstore_core"
