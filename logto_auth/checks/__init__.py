"""System checks for mistakes in settings and URLs. Each problem has one id and a remedy. No check uses the network.

`logto_auth.apps` registers these functions.
"""

from .accounts import check_accounts
from .deployment import check_credentials, check_deployment
from .project import check_project
from .settings import check_settings

__all__ = ["check_accounts", "check_credentials", "check_deployment", "check_project", "check_settings"]
