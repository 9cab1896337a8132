"""`demo_client`: an AI company's client, speaking HTTP to the running site."""

import hashlib
import os
import runpy
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.errors import Refused
from consent.models import AICompany, Recording
from portal.demo.clock import is_demo
from portal.demo.stage import kept_keys
from portal.management.commands.run_demo import SERVED_AT
from portal.models import ApiClient, ApiKey
from portal.roles import ApiScope
from portal.services.clients import create_api_client, create_api_key, revoke_api_key

EXAMPLE = "docs/examples/liner_client.py"
NAME = "demo client"


class Command(BaseCommand):
    help = (
        "Register a tool and a model version, ask for decisions, report a training run, an output "
        f"with its attributions and usage events, all over HTTP, with {EXAMPLE}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=_served_at(), help="where the site runs")
        parser.add_argument("--key", default="", help="a key; without one, the demo's or a new one")
        parser.add_argument("--company", default="", help="whose key; by default the first")
        parser.add_argument(
            "--tool", default="", help="the tool's short name; by default <company>-demo-tool"
        )
        parser.add_argument("--isrc", action="append", default=[], help="may be given many times")
        parser.add_argument(
            "--new-key", action="store_true", help="make a key, print how to use it, and stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        isrcs = options["isrc"] or _some_of_everything()
        if not isrcs:
            raise CommandError("There are no recordings yet. “make run” makes a demo.")
        key = options["key"]
        if not key and not options["new_key"] and not options["company"] and is_demo():
            key = kept_keys().get("Tonewright", "")
        key = key or self._new_key(options["company"])
        if options["new_key"]:
            self.stdout.write(f"export LINER={options['url']}")
            self.stdout.write(f"export LINER_KEY={key}")
            self.stdout.write(f"export ISRC={isrcs[0]}")
            self.stdout.write(f"export TOOL={_company_of(key)}-quick-tool")
            return
        example = runpy.run_path(str(settings.BASE_DIR / EXAMPLE))
        try:
            example["tour"](
                example["Liner"](options["url"], key, attempts=2),
                isrcs,
                tool=options["tool"] or f"{_company_of(key)}-demo-tool",
                say=self.stdout.write,
            )
        except example["Problem"] as problem:
            raise CommandError(str(problem)) from problem
        except OSError as error:
            raise CommandError(f"{options['url']} does not answer: {error}") from error

    def _new_key(self, slug: str) -> str:
        """A key of the demo's own client, in the place of the one before."""
        if settings.PRODUCTION:
            raise CommandError("In production keys are made in the admin: give one with --key.")
        companies = AICompany.objects.order_by("slug")
        company = companies.filter(slug=slug).first() if slug else companies.first()
        if company is None:
            raise CommandError("There is no such AI company.")
        client = ApiClient.objects.filter(company=company, name=NAME).first()
        try:
            client = client or create_api_client(by=None, company=company, name=NAME)
            for old in ApiKey.objects.filter(client=client, sandbox=False, revoked_at=None):
                revoke_api_key(by=None, key=old)
            return create_api_key(by=None, client=client, scopes=ApiScope).secret
        except Refused as refused:
            raise CommandError(refused.sentence) from refused


def _company_of(key: str) -> str:
    """The short name of the company whose key it is, with which those of its tools begin."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    found = ApiKey.objects.filter(digest=digest).values_list("client__company__slug", flat=True)
    return found.first() or "demo"


def _served_at() -> str:
    """Where “make run” says that it serves this demo; else what links in mails begin with."""
    written = settings.STATE / SERVED_AT
    if "LINER_URL" not in os.environ and written.is_file():
        return written.read_text(encoding="utf-8").strip() or settings.SITE_URL
    return str(settings.SITE_URL)


def _some_of_everything() -> list[str]:
    """A few recordings from all over the catalogue, so that there is a yes and a no among them."""
    isrcs = list(Recording.objects.order_by("isrc").values_list("isrc", flat=True))
    return isrcs[:: max(1, len(isrcs) // 10)]
