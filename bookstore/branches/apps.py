from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BranchesConfig(AppConfig):
    """The branches of the shop, which are organizations at Logto, and their stock."""

    name = "bookstore.branches"
    verbose_name = _("Branches")
