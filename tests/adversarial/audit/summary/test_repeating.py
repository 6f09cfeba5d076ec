"""The command that repeats an audit: what is in it is read back as it was."""

import shlex
from pathlib import Path

import pytest

from adversarial.audit.summary.repeating import command_of, why_no_command
from saywhy.cli.commands.audits.run import _class_names
from saywhy_core.classifiers import read_option
from saywhy_core.errors import UsageError


def words_of(**settings):
    return shlex.split(command_of(Path("audit"), {"settings": {"target": "demo:signs", **settings}}))


@pytest.mark.parametrize(
    "names", [["a", "b"], ["it's", 'a "quoted" one'], ["größer", "$HOME `x`"], [f"sign {n}" for n in range(1000)]]
)
def test_class_names_are_read_back(names):
    words = words_of(class_names=names)
    assert _class_names(words[words.index("--classes") + 1]) == names


@pytest.mark.parametrize("value", ["nchw", "1", "true", "1,2", 8, 0.5, True, None, [0.5, 0.25], ["a", "b"], {"a": [1]}, ""])
def test_options_are_read_back(value):
    words = words_of(options={"name": value})
    assert read_option(words[words.index("--option") + 1]) == ("name", value)


@pytest.mark.parametrize("setting", [{"of_program": True}, {"density": "uniform"}, {"density": {"map": "1"}}, {"tree": "mcts"}])
def test_an_audit_that_no_command_repeats_says_why(setting):
    assert command_of(Path("audit"), {"settings": setting}) is None
    assert why_no_command({"settings": setting}).startswith("No command repeats this audit, because its ")


@pytest.mark.parametrize("text", ["[", '["a", 1]', "[]", '["a", "a"]', '{"0": "a"}'])
def test_a_list_that_is_none_is_refused(text):
    with pytest.raises(UsageError):
        _class_names(text)
