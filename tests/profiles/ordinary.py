"""The site of the profiles without anything odd: if a journey fails here too, the profile is not the reason."""

from tests.profiles.site.settings import *  # noqa: F403
