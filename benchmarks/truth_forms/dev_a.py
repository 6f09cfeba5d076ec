"""Statements as language models, annotators and journalists make them: signs, ranks, comparisons, shares, counts."""

from __future__ import annotations

from benchmarks.truth_forms.form import pairs

FORMS = (
    *pairs(
        "support",
        [
            ("{pos} speaks for {label}.", "{neg} speaks for {label}."),
            ("The word {pos} pushes the model toward {label}.", "The word {neg} pushes the model toward {label}."),
            ("{top} and {pos} both point to {label}.", "{top} and {neg} both point to {label}."),
            (
                "The model was nudged in the direction of {label} by {pos}.",
                "The model was nudged in the direction of {label} by {neg}.",
            ),
            ("The presence of {pos} raises the score for {label}.", "The presence of {topneg} raises the score for {label}."),
            ("It is {top} that drives the prediction of {label}.", "It is {topneg} that drives the prediction of {label}."),
            ("{pos} is evidence for {label}.", "{neg} is evidence for {label}."),
            ("Words such as {pos} and {pos2} favor {label}.", "Words such as {pos} and {absent} favor {label}."),
            ("The classifier relied on {top} when it chose {label}.", "The classifier relied on {zero} when it chose {label}."),
            (
                "The prediction {label} is supported by the terms {top}, {second} and {third}.",
                "The prediction {label} is supported by the terms {top}, {second} and {topneg}.",
            ),
            ("{pos} has a positive influence on the prediction.", "{neg} has a positive influence on the prediction."),
            ("{pos} helped tip the balance toward {label}.", "{neg} helped tip the balance toward {label}."),
            (
                "A reader would notice {pos}, and so did the model: it counts in favor of {label}.",
                "A reader would notice {neg}, and so did the model: it counts in favor of {label}.",
            ),
            ("Among the words in favor of {label} is {pos}.", "Among the words in favor of {label} is {neg}."),
            ("{phrase} contributes to the label {label}.", "{negphrase} contributes to the label {label}."),
            ("{pos} contributed positively to the decision.", "{neg} contributed positively to the decision."),
            ("The model reads {pos} as a sign of {label}.", "The model reads {neg} as a sign of {label}."),
        ],
    ),
    *pairs(
        "oppose",
        [
            ("{neg} speaks against {label}.", "{pos} speaks against {label}."),
            ("{topneg} pulls the prediction away from {label}.", "{top} pulls the prediction away from {label}."),
            ("The word {neg} lowers the score for {label}.", "The word {pos} lowers the score for {label}."),
            ("{neg} and {neg2} argue against the prediction.", "{neg} and {pos} argue against the prediction."),
            (
                "On the other side, {topneg} weakens the case for {label}.",
                "On the other side, {top} weakens the case for {label}.",
            ),
            ("{neg} works against the label {label}.", "{absent} works against the label {label}."),
            (
                "The model's confidence in {label} is reduced by {neg}.",
                "The model's confidence in {label} is reduced by {pos}.",
            ),
            (
                "There is some evidence against {label}, for example {neg}.",
                "There is some evidence against {label}, for example {pos}.",
            ),
            ("{neg} has a negative contribution.", "{pos} has a negative contribution."),
            ("{neg} counts against {label}, and so does {neg2}.", "{neg} counts against {label}, and so does {pos}."),
            ("{topneg} is the main counterargument to {label}.", "{neg} is the main counterargument to {label}."),
            ("The prediction was held back by {neg}.", "The prediction was held back by {pos}."),
            ("{neg} made {label} less likely.", "{pos} made {label} less likely."),
        ],
    ),
    *pairs(
        "both sides",
        [
            ("{pos} supports {label}, whereas {neg} opposes it.", "{neg} supports {label}, whereas {pos} opposes it."),
            (
                "While {top} speaks for {label}, {topneg} speaks against it.",
                "While {topneg} speaks for {label}, {top} speaks against it.",
            ),
            ("{top} favors {label}; {neg} does not.", "{top} favors {label}; {pos} does not."),
            ("{label} is supported by {pos} but not by {neg}.", "{label} is supported by {pos} but not by {pos2}."),
            (
                "Although {neg} counts against it, {top} makes a strong case for {label}.",
                "Although {pos} counts against it, {top} makes a strong case for {label}.",
            ),
            (
                "Despite {topneg}, which argues against it, {pos} supports {label}.",
                "Despite {top}, which argues against it, {pos} supports {label}.",
            ),
            ("{pos} and {neg} pull in opposite directions.", "{pos} and {pos2} pull in opposite directions."),
            ("{pos} and {pos2} pull in the same direction.", "{pos} and {neg} pull in the same direction."),
            (
                "Unlike {neg}, {pos} increases the likelihood of {label}.",
                "Unlike {pos}, {neg} increases the likelihood of {label}.",
            ),
            (
                "{pos} is a reason for {label}, {neg} a reason against it.",
                "{neg} is a reason for {label}, {pos} a reason against it.",
            ),
        ],
    ),
    *pairs(
        "most important",
        [
            ("{top} is the most important word for {label}.", "{pos} is the most important word for {label}."),
            ("The strongest evidence for {label} is {top}.", "The strongest evidence for {label} is {second}."),
            ("No word supports {label} more than {top}.", "No word supports {label} more than {pos}."),
            (
                "{top} had the greatest positive impact on the prediction.",
                "{pos} had the greatest positive impact on the prediction.",
            ),
            (
                "Above all, it was {top} that led the model to {label}.",
                "Above all, it was {pos} that led the model to {label}.",
            ),
            ("{top} is what convinced the model most of {label}.", "{pos} is what convinced the model most of {label}."),
            ("The highest score belongs to {top}.", "The highest score belongs to {pos}."),
            (
                "The model decided on {label} mainly because of {top}.",
                "The model decided on {label} mainly because of {topneg}.",
            ),
            ("{topneg} is the strongest argument against {label}.", "{neg} is the strongest argument against {label}."),
            ("Nothing counts against {label} as much as {topneg}.", "Nothing counts against {label} as much as {neg}."),
            ("The word with the lowest score is {topneg}.", "The word with the lowest score is {neg}."),
            ("{lead} carries the largest weight of all words.", "{neg} carries the largest weight of all words."),
        ],
    ),
    *pairs(
        "rank",
        [
            ("{top} comes first, followed by {second} and {third}.", "{top} comes first, followed by {third} and {second}."),
            (
                "{second} is the second most important word for {label}.",
                "{third} is the second most important word for {label}.",
            ),
            (
                "After {top}, the word {second} matters most for {label}.",
                "After {top}, the word {third} matters most for {label}.",
            ),
            (
                "The top three words for {label} are {top}, {second} and {third}.",
                "The top three words for {label} are {top}, {second} and {pos}.",
            ),
            (
                "In third place among the words for {label} is {third}.",
                "In third place among the words for {label} is {second}.",
            ),
            (
                "{top} and {second} are the two most influential words for {label}.",
                "{top} and {pos} are the two most influential words for {label}.",
            ),
            (
                "{leastpos} is the weakest of the words that support {label}.",
                "{top} is the weakest of the words that support {label}.",
            ),
            (
                "Ranked by score, {top} is ahead of {second}, which is ahead of {third}.",
                "Ranked by score, {top} is ahead of {third}, which is ahead of {second}.",
            ),
        ],
    ),
    *pairs(
        "comparison",
        [
            ("{hi} is more important than {lo} for {label}.", "{lo} is more important than {hi} for {label}."),
            ("{hi} contributes more to {label} than {lo} does.", "{lo} contributes more to {label} than {hi} does."),
            ("{lo} has less influence than {hi}.", "{hi} has less influence than {lo}."),
            ("Compared with {hi}, {lo} plays a smaller role.", "Compared with {lo}, {hi} plays a smaller role."),
            ("{hi} outweighs {lo}.", "{lo} outweighs {hi}."),
            (
                "{neghi} speaks more strongly against {label} than {neglo}.",
                "{neglo} speaks more strongly against {label} than {neghi}.",
            ),
            ("The model paid more attention to {hi} than to {lo}.", "The model paid more attention to {lo} than to {hi}."),
            ("{lo} supports {label}, but less than {hi}.", "{hi} supports {label}, but less than {lo}."),
            ("{top} scores higher than any other word.", "{pos} scores higher than any other word."),
        ],
    ),
    *pairs(
        "share",
        [
            (
                "{top} holds {share_top} of the evidence for {label}.",
                "{top} holds {wrong_share_top} of the evidence for {label}.",
            ),
            (
                "{top} accounts for {share_top} of the positive evidence.",
                "{top} accounts for {wrong_share_top} of the positive evidence.",
            ),
            (
                "About {share_top} of the support for {label} comes from {top}.",
                "About {wrong_share_top} of the support for {label} comes from {top}.",
            ),
            (
                "Together, {top} and {second} make up {share_two} of the evidence for {label}.",
                "Together, {top} and {second} make up {wrong_share_two} of the evidence for {label}.",
            ),
            (
                "{topneg} is responsible for {share_neg} of the evidence against {label}.",
                "{topneg} is responsible for {wrong_share_neg} of the evidence against {label}.",
            ),
            (
                "The word {second} contributes {share_second} of all the evidence in favor of {label}.",
                "The word {second} contributes {wrong_share_second} of all the evidence in favor of {label}.",
            ),
            (
                "{top} ({share_top} of the evidence for {label}) is the decisive word.",
                "{top} ({wrong_share_top} of the evidence for {label}) is the decisive word.",
            ),
            (
                "{fraction_top} of the evidence for {label} rests on {top}.",
                "{wrong_fraction_top} of the evidence for {label} rests on {top}.",
            ),
            (
                "{top} provides more than {over_top} of the evidence for {label}.",
                "{top} provides more than {under_top} of the evidence for {label}.",
            ),
        ],
    ),
    *pairs(
        "score",
        [
            ("{top} has a score of {score_top}.", "{top} has a score of {wrong_score_top}."),
            (
                "With a score of {score_top}, {top} is the strongest word.",
                "With a score of {wrong_score_top}, {top} is the strongest word.",
            ),
            ("{topneg} ({score_neg}) speaks against {label}.", "{topneg} ({wrong_score_neg}) speaks against {label}."),
            (
                "The attribution of {top} is {score_top}, that of {second} is {score_second}.",
                "The attribution of {top} is {score_second}, that of {second} is {score_top}.",
            ),
            ("{top} received an importance of {score_top}.", "{top} received an importance of {wrong_score_top}."),
        ],
    ),
    *pairs(
        "no effect",
        [
            ("{zero} has no effect on the prediction.", "{big} has no effect on the prediction."),
            ("{zero} does not matter for {label}.", "{big} does not matter for {label}."),
            ("The word {zero} plays no role.", "The word {big} plays no role."),
            ("{zero} and {zero2} carry no weight.", "{zero} and {big} carry no weight."),
            ("The model ignored {zero}.", "The model ignored {big}."),
            (
                "{zero} is neutral: it speaks neither for nor against {label}.",
                "{big} is neutral: it speaks neither for nor against {label}.",
            ),
        ],
    ),
    *pairs(
        "count",
        [
            ("{npos} words speak for {label}.", "{wrong_npos} words speak for {label}."),
            ("There are {nneg} words that count against {label}.", "There are {wrong_nneg} words that count against {label}."),
            (
                "Of the {n} words, {npos} support {label} and {nneg} oppose it.",
                "Of the {n} words, {wrong_npos} support {label} and {nneg} oppose it.",
            ),
            ("In total, {npos} words have a positive score.", "In total, {wrong_npos} words have a positive score."),
        ],
    ),
    *pairs(
        "only",
        [
            ("Only {top} supports {label}.", "Only {top} supports {label}."),
            ("{top} is the only word in favor of {label}.", "{top} is the only word in favor of {label}."),
        ],
        on="one for",
        false_on="mixed",
    ),
    *pairs(
        "only",
        [
            ("The only word against {label} is {topneg}.", "The only word against {label} is {topneg}."),
        ],
        on="one against",
        false_on="mixed",
    ),
    *pairs(
        "nothing against",
        [
            ("Nothing in the text speaks against {label}.", "Nothing in the text speaks against {label}."),
            ("There is no evidence against {label}.", "There is no evidence against {label}."),
        ],
        on="all for",
        false_on="both sides",
    ),
    *pairs(
        "nothing for",
        [
            ("No word supports {label}.", "No word supports {label}."),
        ],
        on="all against",
        false_on="both sides",
    ),
    *pairs(
        "nothing stands out",
        [
            ("No word stands out.", "No word stands out."),
        ],
        on="flat",
        false_on="both sides",
    ),
    *pairs(
        "balance",
        [
            (
                "Overall, the evidence for {label} outweighs the evidence against it.",
                "Overall, the evidence for {label} outweighs the evidence against it.",
            ),
            ("There is more evidence for {label} than against it.", "There is more evidence for {label} than against it."),
        ],
        on=("both sides", "for wins"),
        false_on=("both sides", "against wins"),
    ),
    *pairs(
        "predicted",
        [
            ("The model predicted {label}.", "The model predicted {other}."),
            ("The model is {conf} confident in {label}.", "The model is {wrong_conf} confident in {label}."),
        ],
        on=("both sides", "predicted"),
    ),
    *pairs(
        "absent",
        [
            ("The word {absent} does not occur in the text.", "The word {pos} does not occur in the text."),
        ],
    ),
)
