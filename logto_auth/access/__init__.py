"""What a view requires of its user, and the response when it is missing."""

from .requirements import MissingRequirement, Principal, Requirement, RequirementKind, signed_in_recently

__all__ = ["MissingRequirement", "Principal", "Requirement", "RequirementKind", "signed_in_recently"]
