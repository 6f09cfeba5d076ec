"""Natural statements in other voices: notes of annotators, reports, journalists, chat models that like headings."""

from __future__ import annotations

from benchmarks.truth_forms.form import pairs

FORMS = (
    *pairs(
        "annotator's note",
        [
            ("{top} = strongest cue for {label}.", "{pos} = strongest cue for {label}."),
            ("Main cue: {top}. Counter-cue: {topneg}.", "Main cue: {topneg}. Counter-cue: {top}."),
            ("{pos} pro, {neg} contra.", "{neg} pro, {pos} contra."),
            ("{zero} irrelevant, {top} decisive.", "{big} irrelevant, {zero} decisive."),
            ("Positive: {pos}, {pos2}. Negative: {neg}.", "Positive: {pos}, {neg}. Negative: {pos2}."),
            ("{top} > {second} > {third}", "{top} > {third} > {second}"),
            ("Looks like {top} did it ({label}).", "Looks like {topneg} did it ({label})."),
            ("mostly {top}, a bit of {weak}; {neg} against", "mostly {top}, a bit of {weak}; {pos} against"),
        ],
    ),
    *pairs(
        "report",
        [
            (
                "The attribution map assigns the largest positive value to {top}.",
                "The attribution map assigns the largest positive value to {pos}.",
            ),
            (
                "The attribution map assigns negative values to {neg} and {neg2}.",
                "The attribution map assigns negative values to {neg} and {pos}.",
            ),
            (
                "The token {top} exhibits the highest attribution toward the class {label}.",
                "The token {second} exhibits the highest attribution toward the class {label}.",
            ),
            (
                "Of the tokens with positive attribution, {leastpos} has the smallest.",
                "Of the tokens with positive attribution, {top} has the smallest.",
            ),
            ("Token {zero} received zero attribution.", "Token {big} received zero attribution."),
            (
                "The attributions of {neg} and {neg2} are both below zero.",
                "The attributions of {neg} and {pos} are both below zero.",
            ),
            (
                "The second-highest attribution is that of {second}, at {score_second}.",
                "The second-highest attribution is that of {third}, at {score_second}.",
            ),
            (
                "Positive attributions are found on {pos}, {pos2} and {pos3}.",
                "Positive attributions are found on {pos}, {neg} and {pos3}.",
            ),
            (
                "{top} contributes {score_top} to the score of {label}, and {topneg} contributes {score_neg}.",
                "{top} contributes {score_top} to the score of {label}, and {topneg} contributes {wrong_score_neg}.",
            ),
            (
                "The word {topneg} is associated with the most negative attribution, {score_neg}.",
                "The word {neg} is associated with the most negative attribution, {score_neg}.",
            ),
        ],
    ),
    *pairs(
        "journalist",
        [
            ("What tipped the scales was above all the word {top}.", "What tipped the scales was above all the word {topneg}."),
            (
                "The machine took {pos} as a hint that this was {label}.",
                "The machine took {neg} as a hint that this was {label}.",
            ),
            (
                "Ask the algorithm why it chose {label}, and it points first of all to {top}.",
                "Ask the algorithm why it chose {label}, and it points first of all to {topneg}.",
            ),
            ("Not everything fits: {neg} speaks against {label}.", "Not everything fits: {pos} speaks against {label}."),
            (
                "Even so, {pos} tells the program that the text is {label}.",
                "Even so, {neg} tells the program that the text is {label}.",
            ),
            ("The word {zero} left the model cold.", "The word {big} left the model cold."),
            ("To the computer, {top} weighs more than {second}.", "To the computer, {second} weighs more than {top}."),
            (
                "{topneg} gave the model pause before it decided on {label}.",
                "{top} gave the model pause before it decided on {label}.",
            ),
            ("For the software, the decisive hint was {lead}.", "For the software, the decisive hint was {zero}."),
            (
                "{pos} plays into the hands of {label}, {neg} does not.",
                "{neg} plays into the hands of {label}, {pos} does not.",
            ),
        ],
    ),
    *pairs(
        "chat answer",
        [
            (
                "Sure! The model predicted {label} because:\n\n1. {top} has the highest positive score ({score_top}).\n2. {second} also has a positive score ({score_second}).",
                "Sure! The model predicted {label} because:\n\n1. {top} has the highest positive score ({score_second}).\n2. {second} also has a positive score ({score_top}).",
            ),
            (
                "**Key drivers:** {top}, {second}\n**Counter-evidence:** {topneg}",
                "**Key drivers:** {top}, {topneg}\n**Counter-evidence:** {second}",
            ),
            (
                "- **Supporting {label}:** {pos}, {pos2}\n- **Opposing {label}:** {neg}",
                "- **Supporting {label}:** {pos}, {neg}\n- **Opposing {label}:** {pos2}",
            ),
            (
                "The most influential words are:\n\n- {lead} ({score_top})\n- {lead2} ({score_second})",
                "The most influential words are:\n\n- {lead} ({wrong_score_top})\n- {lead2} ({score_second})",
            ),
            (
                "The prediction is driven primarily by {top}, with additional support from {pos} and {pos2}.",
                "The prediction is driven primarily by {top}, with additional support from {pos} and {neg}.",
            ),
            (
                "The word {top} contributes the most to the {label:bare} prediction, while {topneg} has the strongest negative impact.",
                "The word {top} contributes the most to the {label:bare} prediction, while {neg} has the strongest negative impact.",
            ),
            (
                "The words with the highest positive scores are {top} and {second}, which suggests that the model considers them indicative of {label}.",
                "The words with the highest positive scores are {top} and {topneg}, which suggests that the model considers them indicative of {label}.",
            ),
            (
                "{pos} and {pos2} are positive contributors, whereas {neg} and {neg2} are negative contributors.",
                "{pos} and {neg} are positive contributors, whereas {pos2} and {neg2} are negative contributors.",
            ),
            (
                "Here, {top} strongly pushes the prediction towards {label}.",
                "Here, {topneg} strongly pushes the prediction towards {label}.",
            ),
            (
                "In summary, {top} is the main driver of the prediction, and {topneg} is the main factor against it.",
                "In summary, {topneg} is the main driver of the prediction, and {top} is the main factor against it.",
            ),
            (
                "The classifier picked up on {pos}, a word it treats as evidence for {label}.",
                "The classifier picked up on {neg}, a word it treats as evidence for {label}.",
            ),
            (
                "Although the text also contains {neg}, which lowers the score, {top} is enough of a signal for {label}.",
                "Although the text also contains {pos}, which lowers the score, {top} is enough of a signal for {label}.",
            ),
        ],
    ),
    *pairs(
        "passive and nominal",
        [
            ("{label} is indicated by {pos}.", "{label} is indicated by {neg}."),
            (
                "The score for {label} was pushed up by {pos} and pushed down by {neg}.",
                "The score for {label} was pushed up by {neg} and pushed down by {pos}.",
            ),
            ("The model was swayed by {top}.", "The model was swayed by {zero}."),
            (
                "The influence of {hi} on the prediction is larger than that of {lo}.",
                "The influence of {lo} on the prediction is larger than that of {hi}.",
            ),
            ("The evidence against {label} is led by {topneg}.", "The evidence against {label} is led by {neg}."),
            (
                "The greatest contribution to {label} is made by {top}.",
                "The greatest contribution to {label} is made by {pos}.",
            ),
            ("No contribution is made by {zero}.", "No contribution is made by {big}."),
            (
                "{label} is favored by {npos} words and disfavored by {nneg}.",
                "{label} is favored by {npos} words and disfavored by {wrong_nneg}.",
            ),
            ("The importance of {pos} for {label} is positive.", "The importance of {neg} for {label} is positive."),
            (
                "Support for {label} can be found in {pos}, {pos2} and {pos3}.",
                "Support for {label} can be found in {pos}, {pos2} and {neg}.",
            ),
        ],
    ),
    *pairs(
        "comparisons",
        [
            ("{hi} matters more for {label} than {lo}.", "{lo} matters more for {label} than {hi}."),
            ("{lo} is not as important as {hi}.", "{hi} is not as important as {lo}."),
            (
                "Between {hi} and {lo}, the former supports {label} more.",
                "Between {hi} and {lo}, the latter supports {label} more.",
            ),
            ("{hi} is a stronger argument for {label} than {lo}.", "{lo} is a stronger argument for {label} than {hi}."),
            ("{lead} has a larger effect than {zero}.", "{zero} has a larger effect than {lead}."),
            ("Next to {top}, {weak} contributes little.", "Next to {weak}, {top} contributes little."),
            (
                "{hi} has a higher score than {lo}, and {lo} has a higher score than {neg}.",
                "{hi} has a higher score than {lo}, and {neg} has a higher score than {lo}.",
            ),
        ],
    ),
    *pairs(
        "numbers in context",
        [
            (
                "At {share_top}, {top} has the largest share of the evidence for {label}.",
                "At {wrong_share_top}, {top} has the largest share of the evidence for {label}.",
            ),
            (
                "{top} ({share_top}) and {second} ({share_second}) are the strongest evidence for {label}.",
                "{top} ({wrong_share_top}) and {second} ({share_second}) are the strongest evidence for {label}.",
            ),
            (
                "{top} scores {score_top} and {second} scores {score_second}.",
                "{top} scores {score_top} and {second} scores {wrong_score_top}.",
            ),
            (
                "The share of {topneg} in the evidence against {label} is {share_neg}.",
                "The share of {topneg} in the evidence against {label} is {wrong_share_neg}.",
            ),
            (
                "A share of {share_for} of all evidence is for {label}, the remaining {share_against} is against it.",
                "A share of {wrong_share_for} of all evidence is for {label}, the remaining {share_against} is against it.",
            ),
            (
                "{share_against} of the total evidence counts against {label}.",
                "{wrong_share_against} of the total evidence counts against {label}.",
            ),
            (
                "Its score of {score_neg} makes {topneg} the strongest word against {label}.",
                "Its score of {wrong_score_neg} makes {topneg} the strongest word against {label}.",
            ),
        ],
    ),
    *pairs(
        "quantifiers",
        [
            (
                "Several words support {label}, including {pos} and {pos2}.",
                "Several words support {label}, including {pos} and {neg}.",
            ),
            ("Some words, such as {neg}, speak against {label}.", "Some words, such as {pos}, speak against {label}."),
            ("Both {pos} and {pos2} speak for {label}.", "Both {pos} and {neg} speak for {label}."),
            (
                "All three of {top}, {second} and {third} favor {label}.",
                "All three of {top}, {second} and {neg} favor {label}.",
            ),
            ("None of {neg}, {neg2} and {zero} supports {label}.", "None of {neg}, {neg2} and {pos} supports {label}."),
            ("At least {npos} words support {label}.", "Fewer than {npos} words support {label}."),
        ],
    ),
    *pairs(
        "two-sided explanation",
        [
            (
                "On the one hand, {pos} supports {label}. On the other hand, {neg} contradicts it.",
                "On the one hand, {neg} supports {label}. On the other hand, {pos} contradicts it.",
            ),
            (
                "{pos} and {pos2} make the model believe in {label}, but {neg} makes it doubt.",
                "{pos} and {neg} make the model believe in {label}, but {pos2} makes it doubt.",
            ),
            (
                "The model weighs {top}, which favors {label}, against {topneg}, which does not.",
                "The model weighs {topneg}, which favors {label}, against {top}, which does not.",
            ),
            (
                "{neg} would point elsewhere, yet {top} pulls toward {label}.",
                "{pos} would point elsewhere, yet {topneg} pulls toward {label}.",
            ),
        ],
    ),
    *pairs(
        "overall strongest against",
        [
            (
                "The word with the greatest influence, {leadneg}, speaks against {label}.",
                "The word with the greatest influence, {top}, speaks against {label}.",
            ),
            (
                "{leadneg} has the largest absolute score, and it is negative.",
                "{pos} has the largest absolute score, and it is negative.",
            ),
        ],
    ),
    *pairs(
        "confident prediction",
        [
            (
                "The model is {conf} sure that the label is {label}.",
                "The model is {wrong_conf} sure that the label is {label}.",
            ),
            ("The predicted probability of {label} is {conf}.", "The predicted probability of {label} is {wrong_conf}."),
            (
                "The model predicts {label} ({conf}), mostly because of {top}.",
                "The model predicts {label} ({wrong_conf}), mostly because of {top}.",
            ),
            ("The runner-up class is {runner_up}.", "The runner-up class is {not_runner_up}."),
        ],
        on=("both sides", "predicted"),
    ),
    *pairs(
        "attention",
        [
            (
                "The most attended word is {top}, followed by {second}.",
                "The most attended word is {second}, followed by {top}.",
            ),
            ("{top} is the most important word.", "{third} is the most important word."),
            ("{zero} plays no role.", "{big} plays no role."),
            ("{top} holds {share_top_all} of the importance.", "{top} holds {wrong_share_top_all} of the importance."),
            ("The model focused on {top} and {second}.", "The model focused on {zero} and {zero2}."),
        ],
        on="unsigned",
    ),
)
