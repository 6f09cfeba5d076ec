"""The options that targets behind a server share, each spelled once: what they answer, what they take, how they are asked."""

from __future__ import annotations

import functools
import inspect
import os
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from saywhy_core.classifiers.layout import InputLayout
from saywhy_core.classifiers.spec import first_given
from saywhy_core.errors import UsageError, argument
from saywhy_core.secrets import keep_secret
from saywhy_core.wire.addresses import LONGEST, is_no_name, split_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from saywhy_core.classifiers.classifier import Scores
    from saywhy_core.classifiers.layout import Axes, Channels, Numbers

T = TypeVar("T")

TIMEOUT = 30.0  # seconds: a large batch on a slow network takes ten
RETRIES = 6  # with growing pauses they bridge some 20 seconds, in which a server starts again
CONCURRENCY = 8  # requests: enough to keep a batching server busy, few enough for the limits of small accounts
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TAKEN = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"}
    | {"expect", "accept-encoding", "content-encoding", "proxy-connection", "user-agent", "inference-header-content-length"}
)
"""Headers that say what is sent and how: a key in one of them would spoil the request."""
_HOW = "name the environment variable that holds the key in the option key_env"


def with_groups(**groups: type[Any]) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """A loader of targets whose options stand in groups: each parameter of that name gets the options of a dataclass as one.

    What is returned takes one keyword per field of each group, in the place of the group, as its signature says, so that
    `target_options` lists them. Its docstring says of each what the docstring of the group says, in the place of the line about
    the parameter.

    Args:
        groups: parameter -> dataclass, each with a section `Attributes`.
    """

    def spelled(load: Callable[..., T]) -> Callable[..., T]:
        own = inspect.signature(load)
        parameters: list[inspect.Parameter] = []
        for name, one in own.parameters.items():
            parameters += _options_of(groups[name]) if name in groups else [one]
        signature = own.replace(parameters=parameters)

        @functools.wraps(load)
        def run(*positional: Any, **given: Any) -> T:
            given = signature.bind(*positional, **given).arguments
            for name, group in groups.items():
                given[name] = group(**{one.name: given.pop(one.name) for one in _options_of(group) if one.name in given})
            return load(given.pop("where"), **given)

        run.__signature__ = signature  # type: ignore[attr-defined]
        if load.__doc__:  # python -OO leaves it out
            lines = load.__doc__.split("\n")
            run.__doc__ = "\n".join(_about(groups[name]) if (name := _named(line)) in groups else line for line in lines)
        return run

    return spelled


def _options_of(group: type[Any]) -> list[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(one.name, keyword, default=one.default, annotation=one.type) for one in fields(group) if one.init]


def _named(line: str) -> str:
    """The parameter that a line of a section `Args` begins to describe."""
    return line.partition(":")[0].strip()


def _about(group: type[Any]) -> str:
    """What a dataclass's docstring says about its attributes, as it stands in the section `Args` of a function."""
    return (group.__doc__ or "").partition("    Attributes:\n")[2].partition("\n\n")[0].rstrip()


@dataclass(frozen=True)
class Answers:
    """What a server answers about images.

    Attributes:
        class_names: one name per class, as the server writes them where it answers with names.
        classes: the number of classes, where neither the names nor the server tell it.
        scores: what is answered: "logits", "probabilities", "sigmoid", "top-k" (the default for `http`) or "label".
        image_shape: (height, width, channels) of the images, where the server doesn't tell it; None for each that is free.
    """

    class_names: Sequence[str] | None = None
    classes: int | None = None
    scores: Scores | None = None
    image_shape: Sequence[int | None] | None = None


@dataclass(frozen=True)
class Tensors:
    """Which tensors a model takes and gives, and how images become such a tensor.

    Attributes:
        layout: "nhwc" or "nchw"; what the declared shape tells by default.
        value_range: the model's values for black and white: (0, 255) for whole numbers and (0, 1) otherwise by default.
        mean: subtracted after that; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        channels: the order of the colours that the model takes, "rgb" (the default) or "bgr".
        input: the name of the input, where there are several.
        output: the name of the output with the scores, where there are several.
    """

    layout: Axes | None = None
    value_range: Sequence[float] | None = None
    mean: Numbers | None = None
    std: Numbers | None = None
    channels: Channels | None = None
    input: str | None = None
    output: str | None = None

    def input_layout(self, axes: Axes, said: Mapping[str, Any], *, whole: bool) -> InputLayout:
        """How images become the tensor: what an option says, then what the model's metadata says, then what is usual.

        Args:
            axes: the order of its axes.
            said: what the metadata says under the names of these options.
            whole: whether its values are whole numbers.

        Raises:
            UsageError: a value has a wrong form.
        """
        usual = (0.0, 255.0) if whole else (0.0, 1.0)
        return InputLayout(
            axes,
            first_given(self.value_range, said.get("value_range"), usual),
            first_given(self.mean, said.get("mean")),
            first_given(self.std, said.get("std")),
            first_given(self.channels, said.get("channels"), "rgb"),
        )


@dataclass(frozen=True)
class Connection:
    """How a server is asked.

    Attributes:
        batch_size: the most images per request; by default one for `http`, and otherwise up to 64 and less than 8 MiB.
        concurrency: the most requests on their way at a time.
        rate: the most requests per second, repeated ones included; None for no limit.
        timeout: seconds after which an attempt is given up, however slowly the server answers.
        retries: further attempts after one that failed in a way that may pass.
        key_env: the environment variable that holds the key; None where the server wants none.
        key_header: the header that the key is sent in, `Authorization` by default.
        query: the parameters of all addresses, such as "api-version=2"; no key may be in them.

    Raises:
        UsageError: a value is not of this form, or there is no such environment variable.
    """

    batch_size: int | None = None
    concurrency: int = CONCURRENCY
    rate: float | None = None
    timeout: float = TIMEOUT
    retries: int = RETRIES
    key_env: str | None = None
    key_header: str | None = None
    query: str | None = None
    _key: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.batch_size is not None:
            _must_be("batch_size", self.batch_size, whole=True, least=1)
        _must_be("concurrency", self.concurrency, whole=True, least=1)
        _must_be("retries", self.retries, whole=True, least=0)
        _must_be("timeout", self.timeout, least=0.01)
        if self.rate is not None:
            _must_be("rate", self.rate, least=1e-6)
        if self.key_header is not None:
            if self.key_env is None:
                raise UsageError(f"{argument('key_header')} has no effect without a key: {_HOW}")
            if not isinstance(self.key_header, str) or not _HEADER.fullmatch(self.key_header):
                raise UsageError(f"{argument('key_header')} must be the name of a header, such as X-Api-Key")
            if self.key_header.lower() in _TAKEN:
                raise UsageError(f"{argument('key_header')} can't be {self.key_header}, which every request needs for itself")
        if self.key_env is not None:
            object.__setattr__(self, "_key", _key_in(self.key_env))
        if self.query is not None:
            self._check_query()

    def _check_query(self) -> None:
        query = self.query
        if isinstance(query, (int, float)):
            raise UsageError(f"{argument('query')} must be parameters such as api-version=2, not {query!r}")
        if not isinstance(query, str) or not query.isascii() or not query.isprintable() or re.search(r"[\s#]", query):
            raise UsageError(f"{argument('query')} must be parameters as an address has them, such as api-version=2")
        if len(query) > LONGEST:
            raise UsageError(f"{argument('query')} has {len(query):,} characters; it may have {LONGEST:,}")
        if is_no_name(query, file=True):
            raise UsageError(f"{argument('query')} holds a key or a password: leave it out, and {_HOW}")

    def secret_headers(self) -> list[tuple[str, str]]:
        """The header with the key, where there is one. `Authorization: Bearer KEY`, if the key names no scheme by itself."""
        if not self._key:
            return []
        name = self.key_header or "Authorization"
        bare = name.lower() == "authorization" and " " not in self._key
        return [(name, f"Bearer {self._key}" if bare else self._key)]

    def advice_on_key(self) -> str:
        """What to do where the server turns the key away."""
        return f"check the key in {self.key_env}" if self.key_env is not None else f"no key was sent: {_HOW}"


def split_endpoint(where: str, forms: str, *, model: bool) -> tuple[str, str]:
    """The address of a server and, where one is wanted behind a `#`, the name of a model.

    Raises:
        UsageError: there is no such address or name, or it holds a key or a password; the error does not repeat those.
    """
    address, mark, name = where.partition("#")
    split_address(address, forms, _HOW)
    if model and not name:
        raise UsageError(f"no model is named: write {forms}")
    if mark and not model:
        raise UsageError(f"nothing may stand behind a # here: write {forms}")
    if name and (len(name) > LONGEST or is_no_name(name) or not re.fullmatch(r"[\w.@:+-]+(?:/[\w.@:+-]+)*", name)):
        raise UsageError(f"what stands behind the # must be the name of a model alone: write {forms}")
    return address.rstrip("/"), name


def _key_in(variable: Any) -> str:
    if (
        not isinstance(variable, str)
        or len(variable) > LONGEST
        or not _VARIABLE.fullmatch(variable)
        or _looks_like_a_key(variable)
    ):
        raise UsageError(f"{argument('key_env')} must be the name of an environment variable, and not the key itself")
    key = os.environ.get(variable, "").strip()
    keep_secret(key, *key.split(" ")[1:])
    if not key:
        raise UsageError(f"there is no key in the environment variable {variable}; set it, or leave out key_env")
    if not key.isascii() or not key.isprintable():
        raise UsageError(f"the key in {variable} has characters no key has")
    return key


def _looks_like_a_key(variable: str) -> bool:
    return not variable.isupper() and is_no_name(variable)  # names of variables have capitals; keys have letters of both kinds


def _must_be(name: str, value: Any, *, least: float, whole: bool = False) -> None:
    right = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, right) or not least <= value < 1e9:
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{argument(name)} must be {kind} of at least {least:g}, not {value!r}")
