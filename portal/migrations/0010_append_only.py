"""What staff did is written once: the application may add to it and never change it."""

from django.db import migrations

from consent import grants


class Migration(migrations.Migration):
    dependencies = [("consent", "0010_rules"), ("portal", "0002_initial")]

    operations = [
        grants.OpenSchema(),
        grants.Protect("portal_staffact", insert=True),
    ]
