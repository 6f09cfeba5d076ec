"""More statements in ordinary phrasing: whole explanations, contrasts, negations, lists, ratios, absence, confidence."""

from __future__ import annotations

from benchmarks.truth_forms.form import pairs

FORMS = (
    *pairs(
        "explanation",
        [
            (
                "The classifier predicted {label} mainly because of the word {top}, which has the highest score ({score_top}). {second} and {third} also contributed, but to a lesser extent.",
                "The classifier predicted {label} mainly because of the word {top}, which has the highest score ({score_top}). {second} and {topneg} also contributed, but to a lesser extent.",
            ),
            (
                "The model settled on {label} because it saw {top}. It also took {second} into account. {topneg} argued against it.",
                "The model settled on {label} because it saw {top}. It also took {second} into account. {third} argued against it.",
            ),
            (
                "Two words stand out. {top} pushes the prediction toward {label}, and {topneg} pushes it away.",
                "Two words stand out. {topneg} pushes the prediction toward {label}, and {top} pushes it away.",
            ),
            (
                "{top} is the key word here. It alone holds {share_top} of the evidence for {label}.",
                "{top} is the key word here. It alone holds {wrong_share_top} of the evidence for {label}.",
            ),
            (
                "The prediction rests on {top} and {second}. By contrast, {neg} makes {label} less plausible.",
                "The prediction rests on {top} and {second}. By contrast, {pos} makes {label} less plausible.",
            ),
            (
                "The model's decision was shaped by several words. {hi} had more influence than {lo}. {zero} had none.",
                "The model's decision was shaped by several words. {lo} had more influence than {hi}. {zero} had none.",
            ),
            (
                "Based on the importance scores, {top}, {second} and {third} are the words that contributed most to {label}.",
                "Based on the importance scores, {top}, {second} and {leastneg} are the words that contributed most to {label}.",
            ),
            (
                "The word {lead} received the highest importance score, indicating that it was the most influential factor in the prediction.",
                "The word {pos} received the highest importance score, indicating that it was the most influential factor in the prediction.",
            ),
            (
                "{lead} is the strongest signal. The next strongest is {lead2}. In contrast, {topneg} is a signal against {label}.",
                "{lead} is the strongest signal. The next strongest is {third}. In contrast, {topneg} is a signal against {label}.",
            ),
            (
                "Words like {pos} and {pos2} have positive scores, which means that they support {label}. Words like {neg} have negative scores.",
                "Words like {pos} and {pos2} have positive scores, which means that they support {label}. Words like {top} have negative scores.",
            ),
            (
                "Why {label}? Mostly because of {top}.",
                "Why {label}? Mostly because of {neg}.",
            ),
            (
                "In short, {top} made the difference for {label}; {second} helped.",
                "In short, {topneg} made the difference for {label}; {second} helped.",
            ),
        ],
    ),
    *pairs(
        "sentence shapes",
        [
            ("What speaks for {label} is {pos}.", "What speaks for {label} is {neg}."),
            ("What speaks most clearly against {label} is {topneg}.", "What speaks most clearly against {label} is {neg}."),
            ("Strong support for {label} comes from {strong}.", "Strong support for {label} comes from {weak}."),
            ("A push toward {label} comes from {pos}.", "A push toward {label} comes from {neg}."),
            ("Thanks to {pos}, {label} became more likely.", "Thanks to {neg}, {label} became more likely."),
            ("Because of {neg}, {label} became less likely.", "Because of {pos}, {label} became less likely."),
            (
                "One argument for {label} is the word {pos}, another is {pos2}.",
                "One argument for {label} is the word {pos}, another is {neg}.",
            ),
            ("Also in favor of {label}: {pos}.", "Also in favor of {label}: {neg}."),
            (
                "The word {pos}, which supports {label}, is less important than {top}.",
                "The word {neg}, which supports {label}, is less important than {top}.",
            ),
            (
                "Seeing {pos} made the model more inclined to say {label}.",
                "Seeing {neg} made the model more inclined to say {label}.",
            ),
            (
                "The contribution of {neg} to the score of {label} is negative.",
                "The contribution of {pos} to the score of {label} is negative.",
            ),
            (
                "For {label} speak {pos} and {pos2}; against it, {neg}.",
                "For {label} speak {pos} and {neg}; against it, {pos2}.",
            ),
            ("To the model, {pos} sounds like {label}.", "To the model, {neg} sounds like {label}."),
            ("{label} gets support from {pos} and {pos2}.", "{label} gets support from {pos} and {neg}."),
            ("The phrase {phrase} is in favor of {label}.", "The phrase {phrase} is against {label}."),
        ],
    ),
    *pairs(
        "rather than",
        [
            (
                "It was {top} rather than {topneg} that led the model to {label}.",
                "It was {topneg} rather than {top} that led the model to {label}.",
            ),
            ("{pos}, not {neg}, supports {label}.", "{neg}, not {pos}, supports {label}."),
            ("Not {neg} but {pos} speaks for {label}.", "Not {pos} but {neg} speaks for {label}."),
            ("The model relied on {top} instead of {zero}.", "The model relied on {zero} instead of {top}."),
        ],
    ),
    *pairs(
        "contrastive",
        [
            ("{pos} speaks for {label} rather than {versus}.", "{neg} speaks for {label} rather than {versus}."),
            (
                "The word {top} is the main reason why the model chose {label} over {versus}.",
                "The word {topneg} is the main reason why the model chose {label} over {versus}.",
            ),
            ("{topneg} points to {versus} rather than {label}.", "{top} points to {versus} rather than {label}."),
        ],
        on=("both sides", "contrastive"),
    ),
    *pairs(
        "negation",
        [
            ("{neg} does not support {label}.", "{pos} does not support {label}."),
            ("{pos} does not speak against {label}.", "{neg} does not speak against {label}."),
            ("Neither {neg} nor {neg2} supports {label}.", "Neither {neg} nor {pos} supports {label}."),
            ("{pos} is not the most important word for {label}.", "{top} is not the most important word for {label}."),
            ("{lo} is not more important than {hi}.", "{hi} is not more important than {lo}."),
            ("{zero} didn't contribute to the prediction.", "{top} didn't contribute to the prediction."),
        ],
    ),
    *pairs(
        "strength",
        [
            ("{strong} strongly supports {label}.", "{weak} strongly supports {label}."),
            ("{weak} only weakly supports {label}.", "{top} only weakly supports {label}."),
            ("{strongneg} speaks strongly against {label}.", "{weakneg} speaks strongly against {label}."),
            ("{weak} makes a small positive contribution.", "{top} makes a small positive contribution."),
        ],
    ),
    *pairs(
        "lists",
        [
            (
                "Words that support {label}:\n- {top}\n- {second}\n- {pos}",
                "Words that support {label}:\n- {top}\n- {second}\n- {neg}",
            ),
            (
                "Evidence for {label}: {top}, {second}.\nEvidence against {label}: {topneg}, {neg}.",
                "Evidence for {label}: {top}, {neg}.\nEvidence against {label}: {topneg}, {second}.",
            ),
            (
                "Most important words for {label}:\n1. {top}\n2. {second}\n3. {third}",
                "Most important words for {label}:\n1. {top}\n2. {third}\n3. {second}",
            ),
            (
                "| word | score |\n|---|---|\n| {top} | {score_top} |\n| {topneg} | {score_neg} |",
                "| word | score |\n|---|---|\n| {top} | {wrong_score_top} |\n| {topneg} | {score_neg} |",
            ),
            (
                "The scores are: {top} {score_top}, {second} {score_second}, {topneg} {score_neg}.",
                "The scores are: {top} {wrong_score_top}, {second} {score_second}, {topneg} {score_neg}.",
            ),
            ("Pro: {top}, {pos}. Contra: {topneg}.", "Pro: {top}, {topneg}. Contra: {pos}."),
            (
                "For {label}:\n* {top}\n* {pos}\n\nAgainst {label}:\n* {neg}",
                "For {label}:\n* {top}\n* {neg}\n\nAgainst {label}:\n* {pos}",
            ),
            ("Key supporting words: {top}, {second}, {third}.", "Key supporting words: {top}, {topneg}, {third}."),
        ],
    ),
    *pairs(
        "equality",
        [
            ("{tie1} and {tie2} are equally important for {label}.", "{top} and {pos} are equally important for {label}."),
            ("{tie1} has the same score as {tie2}.", "{top} has the same score as {second}."),
            ("{tie1} supports {label} just as much as {tie2}.", "{hi} supports {label} just as much as {lo}."),
            ("{tie1} and {tie2} share the first place.", "{top} and {third} share the first place."),
        ],
        on="tied top",
        false_on="mixed",
    ),
    *pairs(
        "ratio",
        [
            ("{rhi} is {times} as important as {rlo}.", "{rhi} is {wrong_times} as important as {rlo}."),
            ("{rhi} carries {times} the weight of {rlo}.", "{rhi} carries {wrong_times} the weight of {rlo}."),
            (
                "The score of {rhi} is {times} as high as that of {rlo}.",
                "The score of {rhi} is {wrong_times} as high as that of {rlo}.",
            ),
            ("{rhi} supports {label} {times} as much as {rlo}.", "{rlo} supports {label} {times} as much as {rhi}."),
        ],
    ),
    *pairs(
        "sums and differences",
        [
            (
                "The scores of {top} and {second} add up to {sum_two}.",
                "The scores of {top} and {second} add up to {wrong_sum_two}.",
            ),
            ("{top} scores {gap_two} more than {second}.", "{top} scores {wrong_gap_two} more than {second}."),
            (
                "The difference between {top} and {second} is {gap_two}.",
                "The difference between {top} and {second} is {wrong_gap_two}.",
            ),
        ],
    ),
    *pairs(
        "share in words",
        [
            (
                "{top} alone makes up {fraction_top} of the evidence in favor of {label}.",
                "{top} alone makes up {wrong_fraction_top} of the evidence in favor of {label}.",
            ),
            (
                "{top} holds less than {under_top} of the evidence for {label}.",
                "{top} holds less than {over_top} of the evidence for {label}.",
            ),
            ("{share_for} of the evidence speaks for {label}.", "{wrong_share_for} of the evidence speaks for {label}."),
            (
                "The evidence is mixed: {share_for} for {label} and {share_against} against it.",
                "The evidence is mixed: {wrong_share_for} for {label} and {share_against} against it.",
            ),
            (
                "{top} and {second} together provide {share_two} of the support for {label}.",
                "{top} and {second} together provide {wrong_share_two} of the support for {label}.",
            ),
        ],
    ),
    *pairs(
        "score phrases",
        [
            ("{neg} has a negative score, {pos} a positive one.", "{pos} has a negative score, {neg} a positive one."),
            ("The score of {topneg} is {score_neg}.", "The score of {topneg} is {flipped_score_neg}."),
            ("The highest score, {score_top}, goes to {top}.", "The highest score, {wrong_score_top}, goes to {top}."),
            (
                "{pos} ({score_pos}) supports {label}, {topneg} ({score_neg}) opposes it.",
                "{pos} ({score_pos}) supports {label}, {topneg} ({wrong_score_neg}) opposes it.",
            ),
            ("{zero} has a score of 0.", "{top} has a score of 0."),
        ],
    ),
    *pairs(
        "counts",
        [
            (
                "{npos} words favor {label}, {nneg} words count against it.",
                "{npos} words favor {label}, {wrong_nneg} words count against it.",
            ),
            (
                "{top} is one of {npos} words that speak for {label}.",
                "{top} is one of {wrong_npos} words that speak for {label}.",
            ),
            ("The text has {n} words.", "The text has {wrong_n} words."),
            (
                "The number of words with a negative score is {nneg}.",
                "The number of words with a negative score is {wrong_nneg}.",
            ),
        ],
    ),
    *pairs(
        "only one for",
        [
            ("Apart from {top}, no word supports {label}.", "Apart from {top}, no word supports {label}."),
            ("Nothing but {top} speaks for {label}.", "Nothing but {top} speaks for {label}."),
            ("No other word than {top} contributes to {label}.", "No other word than {top} contributes to {label}."),
            ("A single word supports {label}: {top}.", "A single word supports {label}: {top}."),
        ],
        on="one for",
        false_on="mixed",
    ),
    *pairs(
        "only one against",
        [
            (
                "{topneg} is the only word that speaks against {label}.",
                "{topneg} is the only word that speaks against {label}.",
            ),
            (
                "With the exception of {topneg}, nothing speaks against {label}.",
                "With the exception of {topneg}, nothing speaks against {label}.",
            ),
            (
                "Only one word counts against {label}, namely {topneg}.",
                "Only one word counts against {label}, namely {topneg}.",
            ),
        ],
        on="one against",
        false_on="mixed",
    ),
    *pairs(
        "all for",
        [
            ("All of the evidence speaks for {label}.", "All of the evidence speaks for {label}."),
            ("None of the words counts against {label}.", "None of the words counts against {label}."),
            ("No word has a negative score.", "No word has a negative score."),
            ("The model found nothing that argues against {label}.", "The model found nothing that argues against {label}."),
        ],
        on="all for",
        false_on="both sides",
    ),
    *pairs(
        "all against",
        [
            ("There is no evidence for {label} in the text.", "There is no evidence for {label} in the text."),
            ("None of the words supports {label}.", "None of the words supports {label}."),
            ("All of the evidence is against {label}.", "All of the evidence is against {label}."),
        ],
        on="all against",
        false_on="both sides",
    ),
    *pairs(
        "flat",
        [
            ("All words have a score of zero.", "All words have a score of zero."),
            ("No part of the text stands out.", "No part of the text stands out."),
            (
                "None of the words had any influence on the prediction.",
                "None of the words had any influence on the prediction.",
            ),
        ],
        on="flat",
        false_on="both sides",
    ),
    *pairs(
        "balance for",
        [
            ("Most of the evidence supports {label}.", "Most of the evidence supports {label}."),
            ("On balance, the words speak for {label}.", "On balance, the words speak for {label}."),
        ],
        on=("both sides", "for wins"),
        false_on=("both sides", "against wins"),
    ),
    *pairs(
        "balance against",
        [
            (
                "The evidence against {label} is stronger than the evidence for it.",
                "The evidence against {label} is stronger than the evidence for it.",
            ),
            ("Overall, the text speaks against {label}.", "Overall, the text speaks against {label}."),
        ],
        on=("both sides", "against wins"),
        false_on=("both sides", "for wins"),
    ),
    *pairs(
        "confidence",
        [
            ("The model assigns {label} a probability of {conf}.", "The model assigns {label} a probability of {wrong_conf}."),
            (
                "With a confidence of {conf}, the model predicted {label}.",
                "With a confidence of {wrong_conf}, the model predicted {label}.",
            ),
            ("The predicted label is {label}.", "The predicted label is {other}."),
            ("The second most likely class is {runner_up}.", "The second most likely class is {not_runner_up}."),
            ("The runner-up was {runner_up}.", "The runner-up was {not_runner_up}."),
            (
                "After {label}, the model considers {runner_up} most likely.",
                "After {label}, the model considers {not_runner_up} most likely.",
            ),
        ],
        on=("both sides", "predicted"),
    ),
    *pairs(
        "absence",
        [
            ("The text does not contain the word {absent}.", "The text does not contain the word {pos}."),
            ("{absent} is not in the text.", "{neg} is not in the text."),
            ("Neither {absent} nor {absent2} appears in the text.", "Neither {absent} nor {top} appears in the text."),
            ("There is no {absent:double} in the input.", "There is no {pos:double} in the input."),
        ],
    ),
    *pairs(
        "least",
        [
            ("{least} matters least.", "{big} matters least."),
            ("The least important word is {least}.", "The least important word is {big}."),
            (
                "Of the words against {label}, {leastneg} is the weakest.",
                "Of the words against {label}, {topneg} is the weakest.",
            ),
        ],
    ),
    *pairs(
        "unsigned",
        [
            ("{top} matters most.", "{pos} matters most."),
            ("The model paid most attention to {top}.", "The model paid most attention to {pos}."),
            ("{top} receives {share_top_all} of the attention.", "{top} receives {wrong_share_top_all} of the attention."),
            ("{hi} mattered more than {lo}.", "{lo} mattered more than {hi}."),
            ("{zero} received no attention.", "{top} received no attention."),
            ("{top} and {second} were the most important words.", "{top} and {leastpos} were the most important words."),
        ],
        on="unsigned",
    ),
)
