"""The URLs of the bookstore with the console of branches, as in the demo."""

from bookstore.urls import console_urlpatterns
from bookstore.urls import urlpatterns as shop

urlpatterns = [*shop, *console_urlpatterns]
