"""The rules that the database keeps itself: the ledger's one door, and what is append-only."""

from pathlib import Path

from django.db import migrations

from consent import grants

SQL = Path(__file__).resolve().parent.parent / "sql"

# Facts and reports are inserted by the application and never change.
INSERT_ONLY = [
    "consent_partystate",
    "consent_recordingidentity",
    "consent_rightsclaim",
    "consent_permission",
    "consent_licenceversion",
    "consent_licencelisting",
    "consent_toolstate",
    "consent_modelversionstate",
    "consent_act",
    "consent_wording",
    "consent_trainingrun",
    "consent_traininguse",
    "consent_output",
    "consent_attribution",
    "consent_ledgerpersonal",
    "consent_ledgercheckpoint",
]


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_initial")]

    operations = [
        migrations.RunSQL((SQL / "ledger.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((SQL / "answers.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((SQL / "attribution.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((SQL / "decision.sql").read_text(), migrations.RunSQL.noop),
        grants.OpenSchema(),
        grants.Protect("consent_ledgerentry"),
        *(grants.Protect(table, insert=True) for table in INSERT_ONLY),
        grants.ReadOnly("consent_ledgerhead"),
        grants.Allow("ledger_append(uuid, uuid[], text[], text[])"),
    ]
