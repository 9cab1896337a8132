"""`demo_logins`: who can sign in to the demo, and as what."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from portal.demo.clock import is_demo
from portal.demo.names import DOMAIN, PASSWORD, PEOPLE
from portal.demo.stage import kept_keys


class Command(BaseCommand):
    help = "Print the demo's logins and API keys. Where there is no demo, there is nothing to say."

    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_demo():
            self.stdout.write(_("\n  There is no demo in this database."))
            return
        self.stdout.write(_("\n  Sign in with the password “%s” as\n") % PASSWORD)
        for one in PEOPLE:
            if one.login:
                self.stdout.write(f"    {one.key + '@' + DOMAIN:<24} {one.name}: {one.login}")
        keys = kept_keys()
        if keys:
            self.stdout.write(_("\n  API keys (Authorization: Bearer …)\n"))
        for name, key in keys.items():
            self.stdout.write(f"    {name + ':':<24} {key}")
