"""Whether a text means the same as the one before it, and where the ledger says so."""

import django.db.models.deletion
from django.db import migrations, models

# The table is append-only, for its owner too, and stays so: a column that is made anew from what
# the ledger says is no change of a row. Of texts published before, each counts as a new one.
_ENTRIES = """
CREATE FUNCTION pg_temp.entry_of_wording(digest text, language text, use text, version int)
RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT e.id FROM consent_ledgerentry e
     WHERE e.kind = 'wording.published'
       AND e.body::jsonb @> jsonb_build_object(
           'digest', $1, 'language', $2, 'use', $3, 'version', $4)
     ORDER BY e.seq LIMIT 1
$$;
ALTER TABLE consent_wording ALTER COLUMN entry_id TYPE uuid
    USING pg_temp.entry_of_wording(digest, language, use, version);
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0011_outputs_by_time")]

    operations = [
        migrations.AlterField(
            "wording", "id", models.BigAutoField(primary_key=True, serialize=False)
        ),
        migrations.AddField(
            "wording",
            "means_the_same",
            models.BooleanField(
                default=False,
                help_text="a translation: nobody is asked again",
            ),
        ),
        migrations.AddField(
            "wording",
            "entry",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.ledgerentry",
            ),
        ),
        migrations.RunSQL(_ENTRIES, migrations.RunSQL.noop),
        migrations.AlterField(
            "wording",
            "entry",
            models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.ledgerentry",
            ),
        ),
    ]
