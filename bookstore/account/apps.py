from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountConfig(AppConfig):
    name = "bookstore.account"
    label = "bookstore_account"
    verbose_name = _("Account")

    def ready(self) -> None:
        from .greetings import connect

        connect()
