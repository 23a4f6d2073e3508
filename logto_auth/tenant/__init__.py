"""What a site needs in its Logto tenant: declared in Python, compared with the tenant, and applied to it.

A site declares a `TenantDeclaration` and names it in `LOGTO_TENANT`. `manage.py logto_setup` makes a plan from it and
applies the plan; the functions here do the same without the command.
"""

from .account_center import AccountCenter
from .declaration import WEBHOOK_EVENTS, APIResource, OrganizationRole, Role, TenantDeclaration
from .dynamic_clients import DynamicClients
from .mfa import MFA
from .organization_console import EVERY_MEMBER, EVERY_USER, AnyRole, OrganizationConsole
from .organizations import DeclaredOrganization
from .password_policy import PasswordPolicy
from .plan import Plan, apply_plan, make_plan
from .site import site_declaration
from .steps import Step
from .third_party import ThirdPartyApplication

__all__ = [
    "EVERY_MEMBER",
    "EVERY_USER",
    "MFA",
    "WEBHOOK_EVENTS",
    "APIResource",
    "AccountCenter",
    "AnyRole",
    "DeclaredOrganization",
    "DynamicClients",
    "OrganizationConsole",
    "OrganizationRole",
    "PasswordPolicy",
    "Plan",
    "Role",
    "Step",
    "TenantDeclaration",
    "ThirdPartyApplication",
    "apply_plan",
    "make_plan",
    "site_declaration",
]
