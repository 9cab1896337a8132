"""The rules that the database keeps itself: what must add up, when, and what is append-only."""

from pathlib import Path

from django.db import migrations

from consent import grants

SQL = Path(__file__).resolve().parent.parent / "sql"

# Written once, and corrected by new rows only.
APPEND_ONLY = [
    "royalties_usageevent",
    "royalties_usagerefusal",
    "royalties_usageconflict",
    "royalties_rate",
    "royalties_splitshare",
    "royalties_splitanswer",
    "royalties_allocation",
    "royalties_allocationshare",
    "royalties_allocationline",
    "royalties_holdrelease",
    "royalties_transaction",
    "royalties_posting",
    "royalties_statement",
    "royalties_statementline",
    "royalties_toolearnings",
]


class Migration(migrations.Migration):
    dependencies = [("consent", "0010_rules"), ("royalties", "0001_initial")]

    operations = [
        migrations.RunSQL((SQL / "periods.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((SQL / "sums.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((SQL / "judging.sql").read_text(), migrations.RunSQL.noop),
        grants.OpenSchema(),
        *(grants.Protect(table, insert=True) for table in APPEND_ONLY),
    ]
