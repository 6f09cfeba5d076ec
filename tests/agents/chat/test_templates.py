"""Chat templates and tokenizers that would never end, and honest ones, rendered as transformers renders them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jinja2 import TemplateError
from langchain_core.messages import HumanMessage

from agents import chat_model
from agents.chat.in_process.local import local_chat
from agents.chat.templates.renderer import TemplateRenderer
from saywhy_core.bounded.watched import OverTimeError
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings
from saywhy_core.reading.tokenizer_file import check_tokenizer

TURNS = [{"role": "user", "content": 'say "é" <b>'}, {"role": "assistant", "content": "no\n"}, {"role": "user", "content": "x"}]
HONEST = [
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m.content | trim }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}",
    "  {% if tools %}\n  {{- tools | tojson(indent=2) }}\n  {% endif %}\n{{ messages | tojson }}",
    "{% set ns = namespace(found=0) %}{% for m in messages %}{% if loop.index0 == 1 %}{% continue %}{% endif %}{% set ns.found = ns.found + 1 %}{% endfor %}{{ ns.found }}",
    "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
    "{% macro f(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ f(messages[-1].role) }}{{ dict(a=1).items() | list }}{{ strftime_now('%Y') }}",
    "{{ bos_token }}{{ 'thinking' if enable_thinking is defined and enable_thinking else 'short' }}{{ messages | length }}",
    "{% for m in messages %}{% if m.role == 'assistant' %}{% break %}{% endif %}{{ m.content[:2] ~ loop.last }}{% endfor %}",
]  # fmt: skip
REFUSING = [
    "{{ raise_exception('not so') }}", "{{ messages.append(1) }}", "{{ ''.__class__.__mro__ }}", "{{ 1 / 0 }}", "{% for %}",
    "{% set ns = namespace(_a=1) %}", "{{ range(10**9) | list }}", "{{ 'a' * 10**10 }}", "{% include '/etc/passwd' %}",
]  # fmt: skip
ENDLESS = [
    "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
    "{{ 9**(9**9) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
]


def by_transformers(template, **values):
    from transformers.utils.chat_template_utils import render_jinja_template

    return render_jinja_template([TURNS], chat_template=template, add_generation_prompt=True, **values)[0][0]


@pytest.fixture(scope="module")
def renderer():
    return TemplateRenderer("m")


@pytest.mark.parametrize("template", HONEST)
def test_honest_templates_render_as_in_transformers(renderer, template):
    values = {"bos_token": "<s>", "enable_thinking": True, "tools": [{"type": "function", "function": {"name": "é<"}}]}
    expected = by_transformers(template, **values)
    with renderer.in_transformers():
        assert by_transformers(template, **values) == expected
    assert by_transformers(template, **values) == expected
    assert expected


@pytest.mark.parametrize("template", REFUSING)
def test_what_a_template_may_not_do_is_an_error_of_the_template(renderer, template):
    with pytest.raises(TemplateError):
        renderer.render(template, {"messages": TURNS})
    assert renderer.render("{{ messages[0].role }}", {"messages": TURNS}) == "user"  # the same process


@pytest.mark.parametrize("template", [ENDLESS[0], *(pytest.param(one, marks=pytest.mark.long) for one in ENDLESS[1:])])
@pytest.mark.long
def test_a_template_without_an_end_ends(template):
    with ceilings(seconds=1):
        renderer = TemplateRenderer("m")
    renderer.start()
    start = time.monotonic()
    with pytest.raises(OverTimeError, match=r"the chat template of m took more than 1 second to render .* seconds=12$"):
        renderer.render(template, {"messages": TURNS})
    assert time.monotonic() - start < 5
    start = time.monotonic()
    with pytest.raises(OverTimeError):  # the next prompt waits for nothing
        renderer.render("a", {})
    assert time.monotonic() - start < 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory, and /proc")
def test_a_template_that_fills_the_memory_is_refused(renderer):
    doubling = (
        "{% set ns = namespace(t='aaaaaaaaaa') %}{% for n in range(40) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}"
    )
    with pytest.raises(TemplateError, match="too much memory"):
        renderer.render(doubling, {})


def test_the_process_is_given_no_keys_and_ends_with_its_renderer(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    renderer = TemplateRenderer("m")
    renderer.start()
    process = renderer._process
    if sys.platform == "linux":
        assert b"planted" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    del renderer
    assert process.wait(10) is not None


def test_a_hostile_template_ends_a_reply_with_one_sentence(tiny_model_folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, hostile = AutoModelForCausalLM.from_pretrained(tiny_model_folder), AutoTokenizer.from_pretrained(tiny_model_folder)
    hostile.chat_template = ENDLESS[0]
    with ceilings(seconds=1):
        chat = local_chat(model, hostile, max_tokens=4)
        with pytest.raises(UsageError, match="the chat template of the model took more than 1 second"):
            chat.invoke([HumanMessage("hi")])


SLOW = {"type": "Split", "pattern": {"Regex": "(?:a|a){19}b|."}, "behavior": "Isolated", "invert": False}


@pytest.mark.long  # a process of its own, because the tokenizer goes on in it
@pytest.mark.parametrize(("key", "rule"), [("pre_tokenizer", SLOW)])
def test_a_tokenizer_without_an_end_ends(tmp_path, make_tiny_model, key, rule):
    folder = make_tiny_model(tmp_path / "m")
    path = folder / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), key: rule}), encoding="utf-8")
    code = (
        "import sys, os, pathlib\nfrom agents import chat_model\nfrom saywhy_core.errors import UsageError\n"
        "from saywhy_core.reading.ceilings import ceilings\n"
        "with ceilings(seconds=1):\n    chat = chat_model('transformers:' + sys.argv[1], max_tokens=4)\n"
        "    try:\n        chat.invoke('a' * 3000)\n    except UsageError as error:\n        print(error, flush=True)\nos._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, timeout=90)
    assert "the tokenizer of" in done.stdout, done.stderr[-500:]
    assert "the most that is allowed" in done.stdout


def test_the_renderer_is_what_a_local_model_uses(tmp_path, make_tiny_model):
    chat = chat_model(f"transformers:{make_tiny_model(tmp_path / 'm')}", max_tokens=2)
    assert chat.invoke("hi")
    assert chat.engine()._renderer._process.poll() is None
    assert chat.engine()._renderer._process.pid != os.getpid()


def replace(pattern, content, times, name):
    return {"type": "Sequence", name: [{"type": "Replace", "pattern": pattern, "content": content}] * times}


@pytest.mark.parametrize(
    ("key", "rule", "said"),
    [
        ("normalizer", replace({"String": "a"}, "aa", 40, "normalizers"), "its normalizer may make a text more than 64 times as long"),
        ("normalizer", replace({"Regex": ""}, "a" * 99, 1, "normalizers"), "its normalizer may make a text more than 64 times as long"),
        ("decoder", replace({"String": "a"}, "aa", 40, "decoders"), "its decoder may make a text more than 64 times as long"),
        ("decoder", replace({"Regex": "(a|a)*b"}, "", 1, "decoders"), "its decoder looks for a regular expression"),
        ("model", {"vocab": {"a" * 5000: 0}}, "an entry of its vocabulary has 5,000 characters"),
        ("added_tokens", [{"id": 0, "content": "a" * 5000}], "an entry of its vocabulary has 5,000 characters"),
    ],
)  # fmt: skip
def test_rules_that_make_endless_texts_are_refused_before_they_are_read(tmp_path, key, rule, said):
    (tmp_path / "tokenizer.json").write_text(json.dumps({"version": "1.0", key: rule}), encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        check_tokenizer(tmp_path)


def test_usual_rules_are_read(tmp_path):
    rules = [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}, {"type": "Precompiled"}]
    decoders = [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "Fuse"}]
    content = {
        "normalizer": {"type": "Sequence", "normalizers": rules}, "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {"vocab": [["a", -1.0]]}, "added_tokens": [{"content": "<s>"}],
    }  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    check_tokenizer(tmp_path)
    check_tokenizer(tmp_path / "none")
