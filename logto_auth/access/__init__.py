"""What a view requires of the principal of a request, and the response when a requirement is not met."""

from logto_auth.oidc.authentication_methods import SECOND_FACTORS

from .principal import Principal
from .requirements import MissingRequirement, Requirement, RequirementKind, SecondFactor, signed_in_recently

__all__ = [
    "SECOND_FACTORS",
    "MissingRequirement",
    "Principal",
    "Requirement",
    "RequirementKind",
    "SecondFactor",
    "signed_in_recently",
]
