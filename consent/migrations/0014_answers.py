"""Answers are told the keys of their leaves, and an act has one index on its artist, not two."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"
FORMER = "DROP FUNCTION IF EXISTS permission_append(jsonb, jsonb, text[], text[]);\n"


class Migration(migrations.Migration):
    dependencies = [("consent", "0013_facts_of_answers")]

    operations = [
        migrations.RunSQL(FORMER + (SQL / "answers.sql").read_text(), migrations.RunSQL.noop),
        migrations.AlterField(
            "act",
            "artist",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acts",
                to="consent.artist",
            ),
        ),
    ]
