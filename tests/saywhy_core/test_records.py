import pytest

from saywhy_core.disk.files import UnusableFileError
from saywhy_core.errors import BudgetExceeded, Problem, UsageError
from saywhy_core.reading.records import in_words, one_by_one, told


class ItsError(UsageError):
    pass


def deep():
    return deep()


def raising(error):
    raise error


CAUSES = [
    (lambda: raising(MemoryError()), "the memory does not suffice"),
    (deep, "nested too deep"),
    (lambda: float(10**400), "OverflowError"),
    (lambda: int("9" * 5000), "ValueError"),
    (lambda: 1 // 0, "ZeroDivisionError"),
    (lambda: {}["key"], "'key' is missing$"),
    (lambda: None.field, "null stands in the place of a value$"),
    (lambda: "\ud800".encode(), "half a character"),
    (lambda: raising(AssertionError()), "no further word"),
    (lambda: raising(SystemExit(0)), "SystemExit"),
    (lambda: raising(PermissionError(13, "Permission denied", "a.npy")), "a.npy: Permission denied"),
    (lambda: raising(RuntimeError("a\nb\x1b[2J" + "c" * 10_000)), r"a b\\x1b\[2Jccc"),
]


@pytest.mark.parametrize(("cause", "says"), CAUSES, ids=range(len(CAUSES)))
def test_whatever_a_record_causes_is_one_sentence(cause, says):
    with pytest.raises(ItsError, match=says) as caught, told(ItsError, "the record can't be used"):
        cause()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_errors_of_users_keep_their_words_and_those_of_the_whole_work_their_kind():
    with pytest.raises(ItsError, match=r"^mine$"), told(ItsError):
        raise UsageError("mine")
    for error in (UnusableFileError("full"), BudgetExceeded("spent"), KeyboardInterrupt()):
        with pytest.raises(type(error)), told(ItsError):
            raise error
    assert in_words(UsageError("mine")) == "mine"


def test_one_item_does_not_stop_the_others():
    problems = []
    made = one_by_one([1, 0, 2, None], lambda item: 2 // item, lambda item, what: Problem(f"{item}", what), problems.append)
    assert list(made) == [(1, 2), (2, 1)]
    assert [problem.where for problem in problems] == ["0", "None"]
    with pytest.raises(UsageError, match=r"it broke: .*ZeroDivisionError"):
        list(one_by_one([0], lambda item: 1 // item, lambda item, what: Problem("", what), None, "it broke"))
    with pytest.raises(BudgetExceeded):
        list(
            one_by_one(
                [0], lambda item: raising(BudgetExceeded("spent")), lambda item, what: Problem("", what), problems.append
            )
        )
