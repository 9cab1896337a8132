"""Outputs of a span of days, read from the index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0010_rules")]

    operations = [
        migrations.RemoveIndex("output", "outputs_by_time"),
        migrations.AddIndex(
            "output",
            models.Index(
                fields=["-made_at"],
                include=["id", "model_version", "use"],
                name="outputs_by_time",
            ),
        ),
    ]
