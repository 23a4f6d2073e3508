"""The account centre: pages, links and the verification of users for settings that Logto keeps.

urlpatterns = [path("account/", include("logto_auth.account.urls"))]
"""

__all__: list[str] = []
