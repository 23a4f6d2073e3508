"""The errors of the Management API and of connectors, without Django."""

from __future__ import annotations

from logto_auth.oidc.errors import LogtoError

__all__ = ["ConnectorError", "ManagementAPIError"]


class ManagementAPIError(LogtoError):
    """The Management API answered with an error.

    `code` is Logto's, such as `user.username_already_in_use`; distinguish errors by it, because Logto translates
    `message`. `status` is the HTTP status of the answer. `data` is what Logto adds, None when it adds nothing.
    `retry_after_seconds` is the value of the header `Retry-After`, None when Logto sent none.
    """

    code = "management_api_error"
    status = 502

    def __init__(
        self,
        text: str,
        *,
        code: str,
        status: int,
        message: str = "",
        data: object = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(text, code=code, status=status)
        self.message = message or text
        self.data = data
        self.retry_after_seconds = retry_after_seconds

    @property
    def is_not_found(self) -> bool:
        """Whether Logto itself has answered that there is no such object. A 404 of a proxy does not say that."""
        return self.status == 404 and self.code.startswith("entity.")


class ConnectorError(LogtoError, ValueError):
    """A connector cannot be created, configured or enabled. The text has one line for each fault and no secret."""

    code = "connector_error"
    status = 400
