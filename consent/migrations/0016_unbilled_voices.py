"""The recordings on which somebody is heard and not billed are found by an index."""

from pathlib import Path

import django.contrib.postgres.indexes
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("consent", "0015_nothing_claimed")]

    operations = [
        migrations.RunSQL((SQL / "voices.sql").read_text(), migrations.RunSQL.noop),
        migrations.AddIndex(
            "recordingidentity",
            django.contrib.postgres.indexes.GinIndex(
                models.Func(
                    models.F("voices"),
                    models.F("main_artists"),
                    models.F("featured_artists"),
                    function="unbilled_voices",
                ),
                name="unbilled_voices_of_recordings",
            ),
        ),
    ]
