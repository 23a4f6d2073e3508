from django.contrib import admin

from .models import Book, Category


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name_en", "name_ja", "name_zh_hans", "position"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name_en"]}


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "year", "category", "price_cents", "stock"]
    list_filter = ["category", "language"]
    list_select_related = ["category"]
    search_fields = ["title", "original_title", "author", "title_ja", "author_ja", "title_zh_hans", "author_zh_hans"]
