"""What a view requires of the principal of a request, and the response when a requirement is not met."""

from .principal import Principal
from .requirements import MissingRequirement, Requirement, RequirementKind, SecondFactor, signed_in_recently

__all__ = ["MissingRequirement", "Principal", "Requirement", "RequirementKind", "SecondFactor", "signed_in_recently"]
