"""What our answers are called elsewhere: never more allowed than it is here."""

import itertools
import xml.etree.ElementTree as ET

import pytest

from consent import crosswalk
from consent.crosswalk import NAMES, Signal, as_aipref, as_cawg, as_rsl, as_tdmrep
from consent.words import UseKind

EVERY = dict.fromkeys(UseKind, Signal.UNDECIDED)


def test_undecided_is_left_out_everywhere() -> None:
    assert as_cawg(EVERY, constraint_info="x") == {"entries": {}}
    assert as_aipref(EVERY) == ""
    assert as_tdmrep(EVERY, policy="x") == {}
    assert as_rsl(EVERY, url="u", server="s") == ""


@pytest.mark.parametrize("signal", [Signal.DENIED, Signal.BY_LICENCE, Signal.UNDECIDED])
def test_only_what_is_allowed_to_everybody_is_exported_as_allowed(signal: Signal) -> None:
    signals = dict.fromkeys(UseKind, signal)
    cawg = as_cawg(signals, constraint_info="ask")
    assert all(entry["use"] != "allowed" for entry in cawg["entries"].values())
    assert "=y" not in as_aipref(signals)
    assert as_tdmrep(signals, policy="x").get("tdm-reservation", 1) == 1


def test_cawg_uses_the_field_of_its_cddl_and_always_says_what_constrains() -> None:
    signals = EVERY | {UseKind.GENERATIVE_TRAINING: Signal.BY_LICENCE}
    assert as_cawg(signals, constraint_info="ask us") == {
        "entries": {
            "cawg.ai_generative_training": {"use": "constrained", "constraint_info": "ask us"}
        }
    }


def test_only_keys_of_cawg_begin_as_its_keys_do() -> None:
    known = {
        "cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training",
    }  # fmt: skip
    keys = [names.cawg for names in NAMES.values() if names.cawg]
    assert {key for key in keys if key.startswith("cawg.")} <= known
    assert len(keys) == len(set(keys))


def test_content_usage_is_a_dictionary_of_tokens_with_keys_in_lower_case() -> None:
    signals = EVERY | {
        UseKind.GENERATIVE_TRAINING: Signal.BY_LICENCE,
        UseKind.DISCOVERY: Signal.ALLOWED,
        UseKind.VOICE: Signal.DENIED,
    }
    assert as_aipref(signals) == "train-ai=n, search=y"
    assert as_aipref(signals).islower()


def test_tdmrep_reserves_as_soon_as_one_kind_of_training_is_not_allowed() -> None:
    mixed = EVERY | {
        UseKind.GENERATIVE_TRAINING: Signal.DENIED,
        UseKind.ANALYSIS_TRAINING: Signal.ALLOWED,
    }
    assert as_tdmrep(mixed, policy="https://p") == {"tdm-reservation": 1}
    by_licence = EVERY | {UseKind.ANALYSIS_TRAINING: Signal.BY_LICENCE}
    assert as_tdmrep(by_licence, policy="https://p") == {
        "tdm-reservation": 1,
        "tdm-policy": "https://p",
    }


def test_rsl_permits_training_only_when_both_kinds_are_to_be_had() -> None:
    for a, b in itertools.product(Signal, Signal):
        signals = EVERY | {UseKind.GENERATIVE_TRAINING: a, UseKind.ANALYSIS_TRAINING: b}
        text = as_rsl(signals, url="https://x/?a=1&b=2", server="https://s")
        if not text:
            assert (a, b) == (Signal.UNDECIDED, Signal.UNDECIDED)
            continue
        tree = ET.fromstring(text)  # our own text, well-formed
        space = {"r": crosswalk.RSL_NAMESPACE}
        permitted = {
            token
            for found in tree.iterfind(".//r:permits", space)
            for token in (found.text or "").split(",")
        }
        both = {a, b} <= {Signal.ALLOWED, Signal.BY_LICENCE}
        assert ("ai-train" in permitted) is both
        if permitted:
            assert tree.find(".//r:payment", space) is not None


def test_the_table_has_every_use_kind_and_a_version() -> None:
    assert set(NAMES) == set(UseKind)
    assert crosswalk.VERSION
