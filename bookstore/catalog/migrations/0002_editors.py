"""The group "Editors", whose members may add and edit books.

Permissions are usually made after all migrations have run; these two are made here because the group needs them now,
and Django then finds them in place.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GROUP = "Editors"
PERMISSIONS = {"add_book": "Can add book", "change_book": "Can change book"}


def make_editors(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    database = schema_editor.connection.alias
    content_type, _created = (
        apps.get_model("contenttypes", "ContentType")
        .objects.using(database)
        .get_or_create(app_label="catalog", model="book")
    )
    permissions = [
        apps.get_model("auth", "Permission")
        .objects.using(database)
        .get_or_create(content_type=content_type, codename=codename, defaults={"name": name})[0]
        for codename, name in PERMISSIONS.items()
    ]
    editors, _created = apps.get_model("auth", "Group").objects.using(database).get_or_create(name=GROUP)
    editors.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_editors, migrations.RunPython.noop)]
