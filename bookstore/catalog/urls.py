from django.urls import path

from . import views

app_name = "catalog"
urlpatterns = [
    path("", views.BookList.as_view(), name="list"),
    path("books/add/", views.BookAdd.as_view(), name="add"),
    path("books/<slug:slug>/", views.BookDetail.as_view(), name="detail"),
    path("books/<slug:slug>/edit/", views.BookEdit.as_view(), name="edit"),
    path("books/<slug:slug>/cover.svg", views.cover, name="cover"),
]
