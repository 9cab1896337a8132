"""Checkpoints and proofs for everybody."""

import json
from base64 import b64decode
from typing import Any

import pytest
from django.test import Client

from consent.checkpoint import Checkpoint, VerifyingKey, verify_checkpoint
from consent.merkle import (
    ConsistencyProof,
    InclusionProof,
    verify_consistency,
    verify_inclusion,
)
from consent.models import LedgerCheckpoint, LedgerEntry
from consent.queries.ledger import head
from consent.services.sealing import seal_ledger
from tests.portal.api.conftest import World, problem_of

pytestmark = pytest.mark.django_db
