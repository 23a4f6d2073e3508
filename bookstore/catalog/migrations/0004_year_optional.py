import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_translations"),
    ]

    operations = [
        migrations.AlterField(
            model_name="book",
            name="year",
            field=models.SmallIntegerField(
                blank=True,
                help_text="A year; years BC are negative.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(-3000),
                    django.core.validators.MaxValueValidator(
                        1928,
                        "The shop sells books in the public domain: first published in %(limit_value)s or before.",
                    ),
                ],
                verbose_name="first published",
            ),
        ),
    ]
