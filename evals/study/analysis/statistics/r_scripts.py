"""R scripts that compute the mixed models again, from the tidy table of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.analysis.statistics.models import Kind

Column = Literal["correct", "value", "seconds"]
COLUMNS: tuple[Column, ...] = ("correct", "value", "seconds")


@dataclass(frozen=True, kw_only=True)
class ScriptModel:
    """A mixed model that an R script is to fit.

    Attributes:
        measure: what the rows of the result are named by.
        kind: "linear", "binomial" or "cumulative".
        column: the column of the tidy table that holds the values. In "correct", a question with a right answer that has no
            response counts as wrong. "seconds" are those of a trial's pages together, by their logarithms.
        task: the task whose answers are taken; all of them where it is "", as for "seconds".
        reference: the condition that the others are compared with.
        conditions: the other conditions, in the order of the result; by default all that occur, in alphabetical order.
    """

    measure: str
    kind: Kind
    column: Column
    reference: str
    task: str = ""
    conditions: tuple[str, ...] = ()


def r_script(
    models: Sequence[ScriptModel], *, answers: str = "tidy.csv", out: str = "models_in_r.csv", level: float = 0.95
) -> str:
    """The text of an R script that fits mixed models with lme4 and ordinal, and writes their coefficients as CSV.

    The script reads the tidy table that `Answers.to_csv` makes, after exclusions, and takes the answers of trials. Run it by
    `Rscript analysis.R` in the folder of the table, or by `Rscript analysis.R TIDY.csv OUT.csv`. The result has the columns
    measure, model, reference, term, estimate, error, low, high, statistic, freedom, p, answers, note; p-values of linear models
    need the package lmerTest, and are NA without it. Warnings of R stand in the column note.

    Args:
        models: what to fit.
        answers: path of the tidy table, where the script is given none.
        out: path of the result, where the script is given none.
        level: how often the intervals should cover the truth.

    Raises:
        UsageError: there is nothing to fit, a column is unknown, or a name contains a NUL, which R can't hold.
    """
    if not models:
        raise UsageError("there is no model for an R script: name at least one")
    if not 0 < level < 1:
        raise UsageError(f"a level of {level} is impossible: give a share between 0 and 1, such as 0.95")
    calls = []
    for one in models:
        if one.column not in COLUMNS:
            raise UsageError(f"the tidy table has no values in {one.column!r}: name one of {', '.join(COLUMNS)}")
        if one.kind not in ("linear", "binomial", "cumulative"):
            raise UsageError(f"there is no model {one.kind!r}: name linear, binomial or cumulative")
        names = ", ".join(_text(name) for name in one.conditions)
        calls.append(
            f"  fit({_text(one.measure)}, {_text(one.kind)}, {_text(one.column)}, {_text(one.task)}, {_text(one.reference)}, "
            f"c({names}))"
        )
    head = f"default_answers <- {_text(answers)}\ndefault_out <- {_text(out)}\nlevel <- {level!r}\n"
    return f"{INTRODUCTION}\n{head}\n{FUNCTIONS}\nresult <- rbind(\n" + ",\n".join(calls) + f"\n)\n{ENDING}"


def _text(text: str) -> str:
    """A text as R reads it, in ASCII."""
    if "\0" in text:
        raise UsageError(f"R can't hold the NUL in {text!r}: rename it")
    marks = []
    for mark in text:
        if mark in '\\"':
            marks.append(f"\\{mark}")
        elif " " <= mark <= "~":
            marks.append(mark)
        else:
            marks.append(f"\\u{ord(mark):04x}" if ord(mark) <= 0xFFFF else f"\\U{ord(mark):08x}")
    return '"' + "".join(marks) + '"'


INTRODUCTION = """\
# Mixed models of a study's answers, with participants and items as crossed random intercepts.
# Usage: Rscript analysis.R [TIDY.csv] [OUT.csv]
# Needs the packages lme4 and ordinal (Debian: r-cran-lme4 r-cran-ordinal); with lmerTest, linear models have p-values.
for (name in c("lme4", "ordinal")) {
  if (!requireNamespace(name, quietly = TRUE)) {
    stop("the R package ", name, " is missing: install.packages(\\"", name, "\\")", call. = FALSE)
  }
}
"""

FUNCTIONS = """\
given <- commandArgs(trailingOnly = TRUE)
answers <- read.csv(
  if (length(given) > 0) given[1] else default_answers,
  colClasses = "character", na.strings = character(0), encoding = "UTF-8", check.names = FALSE
)
# An apostrophe keeps spreadsheets from computing a text: it is no part of it.
formula_like <- "^'('*([[:space:]]*[-=+@\\uff1d\\uff0b\\uff0d\\uff20]|[\\t\\r\\n]))"
answers[] <- lapply(answers, function(cells) sub(formula_like, "\\\\1", cells))
answers <- answers[answers$phase == "trial", ]
normal <- qnorm((1 + level) / 2)

rows_of <- function(column, task, reference, conditions) {
  rows <- if (task == "") answers else answers[answers$task == task, ]
  if (column == "seconds") {
    rows <- rows[rows$seconds != "", ]
    rows <- rows[!duplicated(rows[, c("participant", "trial", "step", "item", "condition")]), ]
    rows$seconds <- as.numeric(rows$seconds)
    if (nrow(rows) > 0) rows <- aggregate(seconds ~ participant + trial + item + condition, rows, sum)
  }
  y <- suppressWarnings(as.numeric(rows[[column]]))
  if (column == "correct") y[rows$correct == "" & rows$expected != "" & rows$response == ""] <- 0
  if (column == "seconds") y <- ifelse(y > 0, log(y), NA)
  if (length(conditions) == 0) conditions <- setdiff(sort(unique(rows$condition)), reference)
  data <- data.frame(
    y = y, condition = factor(rows$condition, levels = c(reference, conditions)),
    participant = factor(rows$participant), item = factor(rows$item)
  )
  droplevels(data[!is.na(data$y) & !is.na(data$condition), ])
}

row_of <- function(measure, model, reference, term, estimate, error, freedom, p, answers, note) {
  reach <- ifelse(is.finite(freedom), qt((1 + level) / 2, freedom), normal) * error
  data.frame(
    measure = measure, model = model, reference = reference, term = term, estimate = estimate, error = error,
    low = estimate - reach, high = estimate + reach, statistic = estimate / error, freedom = freedom, p = p,
    answers = answers, note = note
  )
}

# Conditions whose answers all lie at one end have infinite coefficients; the others are those of the model without them.
separated <- function(data) {
  ends <- range(data$y)
  Filter(function(name) {
    own <- data$y[data$condition == name]
    ends[1] < ends[2] && (all(own == ends[1]) || all(own == ends[2]))
  }, levels(data$condition))
}

fit <- function(measure, kind, column, task, reference, conditions) {
  data <- rows_of(column, task, reference, conditions)
  apart <- if (kind == "linear") character(0) else separated(data)
  ends <- range(data$y)
  infinite <- NULL
  for (name in setdiff(apart, reference)) {
    own <- data$y[data$condition == name][1]
    infinite <- rbind(infinite, row_of(
      measure, kind, reference, name, if (own == ends[1]) -Inf else Inf, NA, Inf, NA, nrow(data), "separated"
    ))
  }
  data <- droplevels(data[!(data$condition %in% apart), ])
  said <- character(0)
  formula <- if (nlevels(data$condition) > 1) {
    y ~ condition + (1 | participant) + (1 | item)
  } else {
    y ~ 1 + (1 | participant) + (1 | item)
  }
  rows <- tryCatch(withCallingHandlers({
    if (reference %in% apart) stop("the reference is separated")
    if (kind == "linear") {
      tested <- requireNamespace("lmerTest", quietly = TRUE)
      model <- if (tested) lmerTest::lmer(formula, data) else lme4::lmer(formula, data)
      table <- coef(summary(model))
      freedoms <- if (tested) table[, "df"] else NA
      p <- if (tested) table[, "Pr(>|t|)"] else NA
      deviations <- as.data.frame(lme4::VarCorr(model))
      deviations <- setNames(deviations$sdcor, ifelse(deviations$grp == "Residual", "remainder", deviations$grp))
    } else if (kind == "binomial") {
      control <- lme4::glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10)
      model <- lme4::glmer(formula, data, family = binomial, control = control)
      table <- coef(summary(model))
      freedoms <- Inf
      p <- table[, "Pr(>|z|)"]
      deviations <- as.data.frame(lme4::VarCorr(model))
      deviations <- setNames(deviations$sdcor, deviations$grp)
    } else {
      data$y <- factor(data$y, ordered = TRUE)
      model <- ordinal::clmm(formula, data)
      table <- coef(summary(model))
      freedoms <- Inf
      p <- table[, "Pr(>|z|)"]
      deviations <- sqrt(unlist(lapply(ordinal::VarCorr(model), function(one) one[1, 1])))
      # With as many people as items, VarCorr of ordinal 2022.11 gives each the other's name; ranef has them in this order.
      names(deviations) <- names(ordinal::ranef(model))
    }
    terms <- sub("^condition", "", rownames(table))
    terms[terms == "(Intercept)"] <- "intercept"
    coefficients <- row_of(
      measure, kind, reference, terms, table[, 1], table[, 2], freedoms, ifelse(grepl("|", terms, fixed = TRUE), NA, p),
      nrow(data), ""
    )
    names(deviations) <- sub("^participant$", "participants", sub("^item$", "items", names(deviations)))
    rbind(coefficients, row_of(
      measure, kind, reference, paste("standard deviation of", names(deviations)), deviations, NA, NA, NA, nrow(data), ""
    ))
  }, warning = function(one) {
    said <<- c(said, conditionMessage(one))
    invokeRestart("muffleWarning")
  }, message = function(one) {
    said <<- c(said, conditionMessage(one))
    invokeRestart("muffleMessage")
  }), error = function(one) {
    said <<- c(said, conditionMessage(one))
    row_of(measure, kind, reference, "(no model)", NA, NA, NA, NA, nrow(data), "")
  })
  rows <- rbind(rows, infinite)
  note <- gsub("[[:space:]]+", " ", paste(unique(said), collapse = " "))
  rows$note <- trimws(paste(rows$note, note))
  rows
}
"""

ENDING = """\
write.csv(result, if (length(given) > 1) given[2] else default_out, row.names = FALSE, fileEncoding = "UTF-8")
"""
