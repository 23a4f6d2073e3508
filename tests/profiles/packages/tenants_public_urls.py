"""The URLs of the site itself: those of the guide, before those of the site of the profiles."""

from tests.docs.pages import the_block
from tests.profiles.site.urls import urlpatterns as usual

urlpatterns = [*the_block("docs/how-to/tenants.md", "package public urls").run()["urlpatterns"], *usual]
