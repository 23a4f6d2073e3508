from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from bookstore.catalog.search import fill_search_columns


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the columns by which the books that exist are searched and sorted."""
    objects = apps.get_model("catalog", "Book").objects.using(schema_editor.connection.alias)
    books = list(objects.all())
    for book in books:
        fill_search_columns(book)
    objects.bulk_update(books, ["sort_title", "sort_author", "search_text"], batch_size=100)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_editors"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="book",
            options={"ordering": ["sort_title", "pk"], "verbose_name": "book", "verbose_name_plural": "books"},
        ),
        migrations.RemoveIndex(
            model_name="book",
            name="catalog_book_on_shelf",
        ),
        migrations.AddField(
            model_name="book",
            name="author_ja",
            field=models.CharField(blank=True, max_length=120, verbose_name="author in Japanese"),
        ),
        migrations.AddField(
            model_name="book",
            name="author_kana",
            field=models.CharField(
                blank=True,
                help_text="The reading. Lists are sorted by it.",
                max_length=240,
                verbose_name="author in katakana",
            ),
        ),
        migrations.AddField(
            model_name="book",
            name="author_pinyin",
            field=models.CharField(
                blank=True,
                help_text="Without tones. Lists are sorted by it.",
                max_length=240,
                verbose_name="author in Pinyin",
            ),
        ),
        migrations.AddField(
            model_name="book",
            name="author_zh_hans",
            field=models.CharField(blank=True, max_length=120, verbose_name="author in Simplified Chinese"),
        ),
        migrations.AddField(
            model_name="book",
            name="description_ja",
            field=models.TextField(blank=True, verbose_name="description in Japanese"),
        ),
        migrations.AddField(
            model_name="book",
            name="description_zh_hans",
            field=models.TextField(blank=True, verbose_name="description in Simplified Chinese"),
        ),
        migrations.AddField(
            model_name="book",
            name="other_names",
            field=models.CharField(
                blank=True,
                help_text="Other spellings and titles by which readers search. They are not shown.",
                max_length=160,
                verbose_name="other names",
            ),
        ),
        migrations.AddField(
            model_name="book",
            name="sort_author",
            field=models.CharField(blank=True, editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name="book",
            name="sort_title",
            field=models.CharField(blank=True, editable=False, max_length=160),
        ),
        migrations.AddField(
            model_name="book",
            name="title_ja",
            field=models.CharField(blank=True, max_length=160, verbose_name="title in Japanese"),
        ),
        migrations.AddField(
            model_name="book",
            name="title_kana",
            field=models.CharField(
                blank=True,
                help_text="The reading. Lists are sorted by it.",
                max_length=240,
                verbose_name="title in katakana",
            ),
        ),
        migrations.AddField(
            model_name="book",
            name="title_pinyin",
            field=models.CharField(
                blank=True,
                help_text="Without tones. Lists are sorted by it.",
                max_length=240,
                verbose_name="title in Pinyin",
            ),
        ),
        migrations.AddField(
            model_name="book",
            name="title_zh_hans",
            field=models.CharField(blank=True, max_length=160, verbose_name="title in Simplified Chinese"),
        ),
        migrations.AddIndex(
            model_name="book",
            index=models.Index(fields=["category", "sort_title"], name="catalog_book_on_shelf"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
