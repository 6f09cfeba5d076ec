"""`saywhy describe`: have a language model say what tells confusable classes apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options import prompts as prompting

HELP = """Describe what tells confusable classes apart, by a language model.

Only pairs that some image needs are asked about, those that most images need first: both classes are among its K most
similar ones. --all-pairs asks about every pair, and needs no images. The run can be stopped at any moment; the same
command goes on with it. Pairs whose replies stay invalid are listed at the end, and the exit status is 1.

[bold]Example:[/bold] saywhy describe --classes classes.json --images photos/ --encoder clip:PATH \\
--llm http://localhost:8000/v1#MODEL --out pairs.json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="describe", help=HELP)(describe)


def describe(
    classes: prompting.ClassesOption,
    llm: Annotated[str, typer.Option(help="openai:MODEL, http://HOST:PORT/v1#MODEL or transformers:NAME_OR_FOLDER.")],
    out: Annotated[Path, typer.Option(help="The pair file to write (JSON, FuDD's format).")],
    images: Annotated[Path | None, typer.Option(help="A folder, a CSV with a column path, or a list of paths.")] = None,
    encoder: Annotated[str | None, typer.Option(help="clip:NAME_OR_PATH or conse:CLASSIFIER+minilm.")] = None,
    k: Annotated[int, typer.Option(min=2, help="Candidates an image has.")] = 10,
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Describe every pair of classes.")] = False,
    template: prompting.TemplateOption = "a photo of a {}.",
    max_requests: Annotated[int | None, typer.Option(min=1, help="Requests that may be sent in this run.")] = None,
    max_tokens_total: Annotated[int | None, typer.Option(min=1, help="Tokens that may be used in this run.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Requests in flight at once.")] = None,
    replies: Annotated[Path | None, typer.Option(help="Reply cache; OUT.replies.sqlite by default.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Answer from the reply cache alone.")] = False,
    retry_invalid: Annotated[bool, typer.Option("--retry-invalid", help="Ask again about invalid pairs.")] = False,
    embeddings: prompting.EmbeddingsOption = None,
) -> None:
    """Describe pairs of classes."""
    from agents import chat_model, usage_of
    from agents.prompting.describe import DifferentialDescriber, problems_of
    from agents.prompting.pairs import read_pairs, write_pairs
    from saywhy_core.errors import UsageError
    from saywhy_core.names import read_class_names
    from saywhy_core.progress import progress_bar

    names = read_class_names(classes)
    problems: list[object] = []
    looker = None
    if all_pairs:
        pairs = [(first, second) for first in range(len(names)) for second in range(first + 1, len(names))]
    else:
        if images is None or encoder is None:
            raise UsageError("give --images and --encoder to find the pairs that are confused, or --all-pairs")
        from agents.encoders import load_encoder, unit_rows
        from agents.prompting.differential import count_ambiguous

        looker = load_encoder(encoder, cache=embeddings)
        embedded = prompting.embed(looker, images)
        problems.extend(embedded.problems)
        texts = unit_rows(looker.encode_texts([template.format(name) for name in names]))
        found, counts = count_ambiguous(unit_rows(embedded.rows) @ texts.T, k)
        order = sorted(range(len(found)), key=lambda index: (-int(counts[index]), index))
        pairs = [(int(found[index][0]), int(found[index][1])) for index in order]
        prompting.note(f"{len(embedded.rows)} images need {len(pairs)} of {len(names) * (len(names) - 1) // 2} pairs")
    model = chat_model(
        llm,
        max_requests=max_requests,
        max_tokens_total=max_tokens_total,
        concurrency=concurrency,
        cache=replies or out.with_name(f"{out.name}.replies.sqlite"),
        offline=offline,
    )
    journal = out.with_name(f"{out.name}.journal")
    describer = DifferentialDescriber(
        model,
        names,
        journal=journal,
        known=read_pairs(out, names) if out.exists() else None,
        template=template,
        retry_invalid=retry_invalid,
    )
    with progress_bar("describing pairs", len(pairs)) as bar:
        described = describer.describe(pairs, progress=bar)
    if described.pairs:
        write_pairs(described.pairs, out)
    if not described.invalid and not described.unasked:
        journal.unlink(missing_ok=True)
    prompting.note(f"{len(described.pairs)} pairs in {out}; {usage_of(model)}")
    problems.extend(problems_of(described, names))
    if described.unasked:
        problems.append(
            f"{len(described.unasked)} pair(s) not asked yet ({described.reason}); the same command goes on with them"
        )
    prompting.finish(problems, looker)
