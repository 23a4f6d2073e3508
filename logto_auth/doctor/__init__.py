"""Find out what is wrong with the sign-ins of a site, and what to do about it.

`site` examines this machine, `logto` the Logto of the settings, `sign_in` the application, with the requests of a
sign-in, and `tenant` what only the Management API can read. Nothing is changed anywhere, and no finding contains a
secret.
"""

from .examination import examine
from .findings import Finding

__all__ = ["Finding", "examine"]
