"""What the shop does when a reader deletes the account: `LOGTO_DELETE_ACCOUNT`."""

from django.http import HttpRequest

from logto_auth.clients import management_api
from logto_auth.exceptions import ManagementAPIError


def delete_account(request: HttpRequest) -> None:
    """Delete the user at Logto, and then here. The orders remain, without a reader. Raise LogtoError.

    If Logto does not respond, nothing has changed.
    """
    try:
        management_api().users.delete(request.logto.sub)
    except ManagementAPIError as error:
        if error.status != 404:  # deleted at Logto before, by a request that failed here
            raise
    request.user.delete()
