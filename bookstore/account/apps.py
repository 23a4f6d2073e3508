from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountConfig(AppConfig):
    name = "bookstore.account"
    label = "bookstore_account"
    verbose_name = _("Account")

    def ready(self) -> None:
        from logto_auth.signals import signed_in, signed_out

        from .greetings import greet, say_goodbye

        signed_in.connect(greet, dispatch_uid="bookstore.greet")
        signed_out.connect(say_goodbye, dispatch_uid="bookstore.say_goodbye")
