"""Decisions read which text a yes was given to, and whether a guardian gave it."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("consent", "0012_meanings")]

    operations = [
        migrations.RunSQL((SQL / "decision.sql").read_text(), migrations.RunSQL.noop),
    ]
