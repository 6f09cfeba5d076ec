"""Options of all commands: one set for language models, and no option that is taken and then does nothing."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from importlib import import_module
from typing import get_type_hints

import pytest
import typer

from saywhy.cli.app import COMMANDS, build
from saywhy.cli.commands.evaluate import PARTS
from saywhy.cli.commands.studies import build as build_study
from saywhy.cli.commands.studies import simulate
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.maps import ReadingOptions
from saywhy.cli.options.models import ModelOptions
from saywhy_core.errors import UsageError
from verbalize import Query, TokenSaliency, write_saliency

MODULES = {name: import_module(f"saywhy.cli.commands.{name}") for name in (*COMMANDS, *PARTS) if name != "evaluate"}
SERVER = "http://127.0.0.1:9/v1#m"
IN = ["--classes", "classes.txt", "--images", "photos", "--encoder", "clip:none"]

# For each option that goes with something else: the command with the option, and without what it goes with.
REFUSED = {
    ("verbalize", "--repairs"): (["maps.jsonl", "--repairs", "1"], "--style composed, free or smv-gpt"),
    ("verbalize", "--audience"): (
        ["maps.jsonl", "--style", "smv-gpt", "--llm", SERVER, "--audience", "expert"],
        "--audience goes with --style composed and --style free",
    ),
    ("verbalize", "--language"): (["maps.jsonl", "--language", "German"], "--style free"),
    ("verbalize", "--pictures"): (["maps.jsonl", "--pictures"], "--style composed and --style free"),
    ("verbalize", "--length"): (["maps.jsonl", "--style", "smv", "--length", "clause"], "--style plain and --style ranked"),
    ("verbalize", "--background"): (["maps.jsonl", "--mask-labels", "--background", "p.json"], "leave out --mask-labels"),
    ("verbalize", "--max-spans"): (
        ["maps.jsonl", "--style", "composed", "--llm", SERVER, "--max-spans", "2"],
        "the styles without a language model",
    ),
    ("check", "--why"): (["--text", "x", "--map", "maps.jsonl", "--why", "--json"], "--why goes with the printed list"),
    ("picture", "--max-words"): (["maps.jsonl", "--out", "o", "--max-words", "3"], "--kind rationale"),
    ("picture", "--mask-labels"): (["maps.jsonl", "--out", "o", "--kind", "rationale", "--mask-labels"], "--kind html and --kind png"),
    ("classify", "--mix"): ([*IN, "--prompts", "prompts.json", "--mix", "0.5"], "--mix goes with --descriptions"),
    ("classify", "--k"): ([*IN, "--k", "3"], "--descriptions, --prompts or --classifier"),
    ("classify", "--first"): ([*IN, "--prompts", "prompts.json", "--first", "name"], "--first goes with --descriptions"),
    ("classify", "--aggregate"): ([*IN, "--aggregate", "max"], "--aggregate goes with --descriptions"),
    ("describe", "--images"): (["--classes", "classes.txt", "--out", "p.json", "--llm", SERVER, "--all-pairs", "--images", "photos"], "--all-pairs"),
    ("describe", "--report"): (["--classes", "classes.txt", "--out", "p.json", "--llm", SERVER, "--all-pairs", "--dry-run", "--report", "r"], "--dry-run asks"),
    ("describe", "--yes"): (["--classes", "classes.txt", "--out", "p.json", "--llm", SERVER, "--all-pairs", "--dry-run", "--yes"], "--dry-run asks"),
    ("describe", "--k"): (["--classes", "classes.txt", "--out", "p.json", "--llm", SERVER, "--all-pairs", "--k", "4"], "--all-pairs"),
    ("describe", "--embeddings"): (["--classes", "classes.txt", "--out", "p.json", "--llm", SERVER, "--all-pairs", "--embeddings", "e"], "--encoder"),
    ("describe", "--trust"): (["--classes", "classes.txt", "--out", "p.json", "--llm", SERVER, "--all-pairs", "--trust"], "--encoder"),
    ("improve", "--repeats"): (["--shots", "photos", "--encoder", "clip:x", "--out", "p.json", "--folds", "0", "--repeats", "2"], "--folds 0"),
    ("improve", "--rounds"): (["--shots", "photos", "--encoder", "clip:x", "--out", "p.json", "--rounds", "1"], "--descriptions"),
    ("evaluate_prompts", "--k"): (["prompts.json", *IN, "--k", "3"], "a pair file"),
    ("evaluate_prompts", "--mix"): (["prompts.json", *IN, "--mix", "0.5"], "a pair file"),
    ("evaluate_prompts", "--first"): (["prompts.json", *IN, "--first", "80"], "a pair file"),
    ("evaluate_prompts", "--aggregate"): (["prompts.json", *IN, "--aggregate", "max"], "a pair file"),
    ("evaluate_prompts", "--k-sweep"): (["prompts.json", *IN, "--k-sweep"], "a pair file"),
}  # fmt: skip
for one in fields(ModelOptions):
    option = f"--{one.name.replace('_', '-')}"
    value = {"price": ["1", "2"], "offline": [], "retry_invalid": [], "dry_run": [], "yes": []}.get(one.name, ["5"])
    if one.name != "llm":
        REFUSED["check", option] = (
            ["--text", "x", "--map", "maps.jsonl", option, *value],
            "without it no language model is asked",
        )
    REFUSED["verbalize", option] = (["maps.jsonl", option, *value], "no other style needs a language model")
FLAGS = {"model-spec": "model", "model-classes": "classes", "described": "class", "replace-words": "replace"}
"""Options of the explained model whose field has another name."""
for option, value in (("classes", ["classes.txt"]), ("class", ["a=b"]), ("model-option", ["a=b"]), ("trust", [])):
    for command, rest in (
        ("check", ["--text", "x", "--map", "maps.jsonl"]),
        ("verbalize", ["maps.jsonl"]),
        ("evaluate_wording", ["maps.jsonl", "--maps", "maps.jsonl"]),
    ):
        REFUSED[command, f"--{option}"] = ([*rest, f"--{option}", *value], "--model")
REFUSED["verbalize", "--replace"] = (["maps.jsonl", "--replace", "good=bad"], "--model and a style without a language model")


@pytest.fixture
def folder(tmp_path):
    write_saliency([TokenSaliency(["good", "film"], [1.0, -1.0], Query("positive"), id="a")], tmp_path / "maps.jsonl")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "prompts.json").write_text(json.dumps({"cat": ["a cat"], "dog": ["a dog"]}))
    (tmp_path / "photos").mkdir()
    return tmp_path


@pytest.mark.parametrize(("command", "option"), REFUSED, ids=lambda part: part.strip("-"))
def test_an_option_without_effect_is_refused_in_one_sentence(saywhy, folder, command, option):
    arguments, says = REFUSED[command, option]
    before = sorted(folder.rglob("*"))
    done = saywhy(*command.split("_"), *arguments, folder=folder)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert option in done.stderr
    assert says in done.stderr
    assert sorted(folder.rglob("*")) == before


def test_every_rule_is_tried_above():
    rules = {(name, f"--{FLAGS.get(option.replace('_', '-'), option.replace('_', '-'))}") for name, module in MODULES.items() if name != "attack"
             for rule in getattr(module, "RULES", ()) for option in rule.options}  # fmt: skip
    assert rules == set(REFUSED)


def _parameters(name):
    """The options that typer sees of each command."""
    found = {}
    for command in build([name]).registered_commands:
        found[command.name] = inspect.signature(command.callback).parameters
    return found


def test_every_option_that_names_an_output_says_so():
    """What a command looks at before its work follows from this."""
    outputs = {"out", "cache", "replies", "embeddings"}
    seen = set()
    for name in COMMANDS:
        for command in build([name]).registered_commands:
            hints = get_type_hints(command.callback, include_extras=True)
            for option in outputs & set(hints):
                use = [one for one in hints[option].__metadata__ if isinstance(one, Use)]
                assert len(use) == 1, f"{name} --{option}"
                assert use[0] is not Use.READ, f"{name} --{option}"
                seen.add(name)
    assert seen >= {"verbalize", "convert", "picture", "attack", "demo", "describe", "classify", "improve"}


def test_a_folder_that_is_a_file_is_told_before_the_work(saywhy, folder):
    words = "classify --classes classes.txt --images photos --encoder clip:none --embeddings prompts.json"
    done = saywhy(*words.split(), folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "prompts.json is a file; name a folder" in done.stderr


def _meaning(parameter):
    kind, option = parameter.annotation.__origin__, parameter.annotation.__metadata__[0]
    return parameter.default, str(kind), option.help, option.min


def test_every_command_with_a_language_model_has_the_same_options_for_it():
    seen = {}
    for name in COMMANDS:
        for command, parameters in _parameters(name).items():
            if "llm" in parameters:
                seen[command] = {one.name: _meaning(parameters[one.name]) for one in fields(ModelOptions)}
    for module, name in ((simulate, "simulate"), (build_study, "build")):
        group = typer.Typer()
        module.register(group)
        (command,) = group.registered_commands
        parameters = inspect.signature(command.callback).parameters
        seen[name] = {one.name: _meaning(parameters[one.name]) for one in fields(ModelOptions)}
    assert set(seen) == {"verbalize", "describe", "check", "simulate", "build"}
    assert set(seen["describe"]) == {
        *("llm", "cache", "replies", "offline", "max_requests", "max_tokens_total", "max_cost", "price", "timeout"),
        *("concurrency", "temperature", "seed", "max_tokens", "max_retries", "extra_body", "retry_invalid"),
        *("dry_run", "yes"),
    }
    assert len({json.dumps(options, default=str, sort_keys=True) for options in seen.values()}) == 1


def test_every_command_that_reads_maps_has_the_same_options_for_it():
    readers = {name: module for name, module in MODULES.items() if hasattr(module, "ReadingOptions")}
    assert set(readers) == {"verbalize", "check", "convert", "picture", "evaluate_wording", "evaluate_agree"}
    names = ["format", "label", "versus", "class_names", "tokenizer", "image", "signed", "input_text", "axes"]
    assert [one.name for one in fields(ReadingOptions)] == names


def test_the_earlier_name_of_the_cache_still_works(saywhy, folder, chat_server):
    server = chat_server(
        default=json.dumps(
            {"attributes": [{"attribute": "ears", "first_caption": "cat, long ears", "second_caption": "dog, short ears"}]}
        )
    )
    call = ["describe", "--classes", "classes.txt", "--all-pairs", "--llm", f"{server.url}#m", "--out"]
    done = saywhy(*call, "pairs.json", "--replies", "kept.sqlite", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "--replies is called --cache now" in done.stderr
    assert (folder / "kept.sqlite").exists()
    again = saywhy(*call, "again.json", "--cache", "kept.sqlite", "--offline", folder=folder)
    assert again.returncode == 0, again.stderr
    assert len(server.requests) == 1
    assert "--replies" not in saywhy("describe", "--help").stdout
    assert saywhy(*call, "p.json", "--replies", "a", "--cache", "b", folder=folder).returncode == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--max-cost", "1"], "--max-cost needs --price"),
        (["--offline"], "name its file with --cache"),
        (["--temperature", "warm"], "--temperature takes a number"),
        (["--temperature", "-1"], "--temperature takes a number"),
        (["--extra-body", "{"], "--extra-body takes a JSON object"),
        (["--extra-body", "[1]"], "--extra-body takes a JSON object"),
        (["--extra-body", "{}"], "--extra-body takes a JSON object with fields"),
        (["--extra-body", '{"messages": []}'], "saywhy fills that itself"),
        (["--extra-body", '{"api_key": "abc"}'], "environment variables"),
        (["--retry-invalid"], "name its file with --cache"),
        (["--retry-invalid", "--cache", "c.sqlite", "--offline"], "leave one of them out"),
    ],
)
def test_options_of_a_model_that_do_not_fit(saywhy, folder, options, says):
    done = saywhy("verbalize", "maps.jsonl", "--style", "composed", "--llm", SERVER, *options, folder=folder)
    assert done.returncode == 2
    assert says in done.stderr


def test_what_the_options_say_reaches_the_model(tmp_path):
    options = ModelOptions(
        llm=SERVER, concurrency=8, temperature="0.5", seed=3, max_tokens=9, max_retries=0, timeout=7.0,
        extra_body='{"top_k": 20}', retry_invalid=True,
    )  # fmt: skip
    model = options.open(tmp_path / "out.jsonl")
    assert (model.concurrency, model.temperature, model.seed, model.max_tokens) == (8, 0.5, 3, 9)
    assert (model.max_retries, model.request_timeout) == (0, 7.0)
    assert model.extra_body == {"top_k": 20}
    assert model.cache.retry_invalid
    assert (tmp_path / "out.jsonl.replies.sqlite").parent == tmp_path
    assert ModelOptions(llm=SERVER, temperature="default").open("-").temperature is None
    with pytest.raises(UsageError, match="--llm"):
        ModelOptions().open("-")


def test_styles_kinds_and_formats_are_listed_from_where_they_are_registered(saywhy):
    shown = saywhy("verbalize", "--help", env={"COLUMNS": "300"}).stdout
    assert "[plain|ranked|smv|composed|free|smv-gpt]" in shown
    assert "[lay|developer|expert|child|TEXT]" in shown
    assert "[clause|short|paragraph]" in shown
    assert "[auto|saywhy|audit-report|inseq|thermostat|" in shown
    assert "[html|png|rationale]" in saywhy("picture", "--help", env={"COLUMNS": "300"}).stdout


def test_a_rule_without_its_condition():
    def command(a: int = 1) -> None:
        pass

    ruled = with_groups(command, [Rule(("a",), "--b", lambda options: options["a"] != 1)])

    class Context:
        command = type("Command", (), {"params": [type("Option", (), {"name": "a", "opts": ["--a"]})]})

        @staticmethod
        def get_parameter_source(name):
            return type("Source", (), {"name": "COMMANDLINE" if name == "a" else "DEFAULT"})

    ruled(Context, a=2)
    with pytest.raises(UsageError, match="--a goes with --b"):
        ruled(Context, a=1)


HELP = """
import sys
from saywhy.cli.app import main

for name in sys.argv[1:]:
    try:
        main([name, "--help"])
    except SystemExit:
        pass
    heavy = {"torch", "transformers", "spacy", "matplotlib", "pandas"} & set(sys.modules)
    if heavy:
        sys.exit(f"saywhy {name} --help loads {heavy}")
"""


def test_help_loads_nothing_heavy():
    """One process shows the help of every command: the first that loads something ends it."""
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", HELP, *COMMANDS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"saywhy {name} " in done.stdout
