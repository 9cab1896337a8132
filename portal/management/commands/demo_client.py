"""`demo_client`: let an AI company's client work with the running site, over HTTP."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from portal.demo.client import ApiProblem, Client, a_day_of_work
from portal.demo.stage import kept_keys


class Command(BaseCommand):
    help = (
        "Work as an AI company's client: register a tool and a model version, ask for decisions, "
        "report a training run, an output and a batch of uses. Speaks HTTP to a site that runs "
        "(“make run”); needs no database."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=settings.SITE_URL, help="the site (%(default)s)")
        parser.add_argument("--key", default="", help="an API key; by default the demo's")

    def handle(self, *args: Any, url: str, key: str, **options: Any) -> None:
        key = key or kept_keys().get("Tonewright", "")
        if not key:
            raise CommandError(_("There is no demo here; give an API key with --key."))
        try:
            a_day_of_work(Client(url, key), self.stdout.write)
        except ApiProblem as problem:
            raise CommandError(str(problem)) from problem
        except ValueError as error:
            raise CommandError(str(error)) from error
