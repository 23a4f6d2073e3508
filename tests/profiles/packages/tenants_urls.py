"""The URLs of the hosts of tenants: those of the guide, before those of the site of the profiles."""

from tests.docs.pages import the_block
from tests.profiles.site.urls import urlpatterns as usual

urlpatterns = [*the_block("docs/how-to/tenants.md", "package urls").run()["urlpatterns"], *usual]
