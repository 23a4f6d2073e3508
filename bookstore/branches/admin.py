from django.contrib import admin

from .models import Stock


@admin.register(Stock)
class StockAdmin(admin.ModelAdmin):
    list_display = ["book", "organization", "copies"]
    list_filter = ["organization"]
    list_select_related = ["book", "organization"]
    autocomplete_fields = ["book"]
    search_fields = ["book__title", "book__author"]
