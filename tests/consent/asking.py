"""Fixtures of stories with one AI company: the company, and the tool that it asks for."""

import pytest

from consent.models import AICompany, Tool
from tests.consent import build

__all__ = ["company", "tool"]


@pytest.fixture
def company() -> AICompany:
    return build.a_company()


@pytest.fixture
def tool(company: AICompany) -> Tool:
    return build.a_tool(company)
