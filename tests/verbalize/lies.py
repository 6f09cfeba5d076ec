"""Lies about one small map, in many words; and truths in the same words. Used by the tests of reading."""

from verbalize.saliency import Query, TokenSaliency

TOKENS = ["a", "great", "film", "with", "a", "dull", "plot", "and", "fine", "acting", ",", "but", "the", "ending", "drags"]
SCORES = [0.0, 2.0, 0.1, 0.0, 0.0, -1.5, -0.4, 0.0, 0.8, 0.5, 0.0, 0.0, 0.0, -0.2, -0.6]
FILM = TokenSaliency(TOKENS, SCORES, Query("positive"))

SUPPORTING = """
'X' speaks for 'positive'.
The word 'X' supports the prediction.
"X" has a positive importance score.
The word "X" has a high importance score.
'X' contributes positively to the prediction.
'X' contributes to the positive sentiment.
“X” pushes the model towards 'positive'.
'X' is evidence for 'positive'.
'X' is strong evidence for the label.
The model was drawn to 'positive' because of "X".
The model predicted 'positive' because of the word "X".
The prediction is driven by 'X'.
The prediction is based on words such as "X".
'X' points to 'positive'.
'X' counts in favour of 'positive'.
'X' argues for 'positive'.
'X' helps the positive prediction.
'X' boosts the score of 'positive'.
'X' increases the probability of 'positive'.
'X' raises the model's confidence in 'positive'.
'X' reinforces the positive label.
'X' strengthens the case for 'positive'.
'X' indicates positive sentiment.
'X' suggests that the review is positive.
'X' signals a positive review.
‘X’ is important for the prediction.
`X` is a key word for the prediction.
The presence of »X« was influential.
'X' is salient.
'X' is also salient.
'X' was crucial to the decision.
'X' played an important role in the prediction.
'X' has a strong positive influence on the prediction.
'X' had a considerable impact on the prediction.
'X' carries a lot of weight.
'X' is responsible for the positive label.
'X' led the model to predict 'positive'.
'X' made the model choose 'positive'.
The classifier relied on 'X' to predict 'positive'.
The classifier focused on 'X'.
The classifier paid attention to 'X'.
Thanks to 'X', the model predicts 'positive'.
Due to "X", the model predicts 'positive'.
High importance scores are given to words like "X".
There are positive scores for words like 'X'.
The model's decision for 'positive' is supported by 'X'.
It is words such as 'X' that contribute to the positive prediction.
Words like 'X' (and others) speak for 'positive'.
'X' tips the balance towards 'positive'.
'X' pulls the prediction towards 'positive'.
'X' sways the model in favour of 'positive'.
'X' favours 'positive'.
'X' backs the positive label.
'X' confirms the positive label.
'X' makes the text more likely to be positive.
'X' makes a positive contribution.
'X' is a positive factor.
'X' weighs in favour of 'positive'.
'X' shaped the model's outcome.
'X' is indicative of the sentiment.
The word X supports the prediction.
"X," in particular, supports the prediction.
The model looked at 'X' and concluded that the review is positive.
'X' nudges the model toward 'positive'.
'X' works in favour of 'positive'.
""".strip().splitlines()

OPPOSING = """
'X' speaks against 'positive'.
The word 'X' opposes the prediction.
"X" has a negative importance score.
The word "X" has a negative score.
'X' contributes negatively to the prediction.
'X' has a negative impact on the prediction.
'X' has a negative influence.
“X” pushes the model away from 'positive'.
'X' is evidence against 'positive'.
'X' counts against 'positive'.
'X' argues against the label.
'X' undermines the positive prediction.
'X' weakens the case for 'positive'.
'X' lowers the score of 'positive'.
'X' lowers the probability of 'positive'.
'X' reduces the model's confidence in 'positive'.
'X' decreases the score.
'X' contradicts the positive label.
'X' detracts from the positive prediction.
'X' works against 'positive'.
'X' pulls the prediction away from 'positive'.
'X' weighs against 'positive'.
'X' is negative for the prediction.
Negative importance scores are given to words like "X".
There are negative scores for words like 'X'.
There are also some words with negative scores such as "X".
The word "X" received a negative attribution.
The score of 'X' is negative.
'X' makes 'positive' less likely.
'X' hurts the positive prediction.
'X' diminishes the positive sentiment.
'X' tempers the positive sentiment.
'X' offsets the positive evidence.
'X' counteracts the positive words.
'X' counters the positive label.
'X' hinders the positive prediction.
'X' is at odds with the positive label.
'X' goes against the positive label.
'X' mitigates the positive sentiment.
'X' drags the score down.
'X' steers the model away from 'positive'.
'X' does not support 'positive'.
'X' doesn't speak for 'positive'.
'X' fails to support 'positive'.
'X' does nothing for 'positive'.
'X' is a counterargument to 'positive'.
'X' votes against 'positive'.
'X' is the strongest evidence against 'positive'.
'X' speaks most against 'positive'.
'X' stands against 'positive'.
'X' has a negative weight.
'X' suppresses the positive label.
'X' inhibits the prediction.
'X' is negatively associated with the prediction.
'X' scores negatively.
'X' scores below zero.
The word X speaks against the prediction.
However, "X" opposes the prediction.
'X' casts doubt on the positive label.
'X' discourages the positive label.
""".strip().splitlines()

TOP = """
'X' is the most important word.
The most important word is 'X'.
'X' has the highest importance score.
The highest score belongs to 'X'.
'X' is most salient.
'X' was most important for the prediction.
'X' is the most significant factor.
'X' is the most influential word for 'positive'.
'X' has the strongest influence on the prediction.
'X' has the biggest impact.
'X' has the largest weight.
'X' carries the most weight.
'X' contributes most to the prediction.
'X' contributes the most.
'X' matters most.
'X' is the main reason for the prediction.
'X' is the primary reason for the prediction.
'X' is the chief reason for the prediction.
'X' is the main driver of the prediction.
'X' is the key driver of the prediction.
'X' is the top word.
'X' ranks first.
'X' comes first in importance.
'X' tops the list.
'X' is number one.
'X' is the single most important word.
'X' stands out the most.
'X' stands out most.
'X' speaks most for 'positive'.
'X' is the strongest evidence for 'positive'.
'X' is the best evidence for 'positive'.
'X' is the clearest sign of the label, with the highest score.
The prediction is mainly driven by 'X'.
The prediction is primarily based on 'X'.
The model predicted 'positive' mainly because of 'X'.
The prediction is above all due to 'X'.
'X' is more important than any other word.
'X' is more important than all other words.
'X' is more important than the rest of the text.
'X' outweighs all other words.
'X' outweighs everything else.
No other word is more important than 'X'.
No word has a higher score than 'X'.
Nothing is more important than 'X'.
Nothing speaks more strongly for 'positive' than 'X'.
The decisive word is 'X'.
'X' is the decisive word.
'X' dominates the prediction.
'X' dominates all other words.
'X' is by far the most important word.
'X' is clearly the most important word.
By far the most important is 'X'.
Most important of all is 'X'.
Most important for the prediction is the word 'X'.
'X' is the most relevant word.
'X' is the most decisive word.
'X' is the most indicative word.
'X' is the word that matters most.
'X' is the word with the highest score.
'X' is the word with the greatest importance.
The word X is the most important one.
'X' had the greatest effect on the prediction.
'X' is the leading factor.
'X' is the predominant factor.
The model relied most heavily on 'X'.
'X' received the highest attribution.
'X' is the peak of the map.
The strongest word is 'X'.
""".strip().splitlines()

AHEAD = """
'X' is more important than 'Y'.
'X' is more influential than 'Y'.
'X' has a higher score than 'Y'.
'X' has a higher importance score than the word 'Y'.
'X' scores higher than 'Y'.
'X' outweighs 'Y'.
'X' outranks 'Y'.
'X' exceeds 'Y'.
'X' contributes more than 'Y'.
'X' contributes more to the prediction than 'Y' does.
'X' matters more than 'Y'.
'X' carries more weight than 'Y'.
'X' has more influence than 'Y'.
'X' has a greater impact than 'Y'.
'X' has a stronger effect than 'Y'.
'X' supports the prediction more than 'Y'.
'X' supports the prediction more strongly than 'Y'.
'X' speaks more strongly for 'positive' than 'Y'.
'X' is a stronger signal than 'Y'.
'X' is ahead of 'Y'.
'X' ranks above 'Y'.
'X' ranks higher than 'Y'.
'X' is followed by 'Y' in importance.
The most important words are led by 'X', which outweighs 'Y'.
'Y' is less important than 'X'.
'Y' has a lower score than 'X'.
'Y' has a lower importance score than 'X'.
'Y' scores lower than 'X'.
'Y' is outweighed by 'X'.
'Y' matters less than 'X'.
'Y' contributes less than 'X'.
'Y' has less influence than 'X'.
'Y' ranks below 'X'.
'Y' ranks behind 'X'.
'Y' is not as important as 'X'.
'Y' isn't as important as 'X'.
'Y' is not more important than 'X'.
'Y' is second to 'X'.
'Y' trails 'X'.
Compared to 'Y', 'X' has a higher score.
Compared with 'Y', the word 'X' is more important.
Relative to 'Y', 'X' is more important.
'X' is important, while 'Y' has a lower score.
'X' has a high importance score. The word 'Y' has a lower importance score.
'X' is important, but 'Y' is less important.
'X' is salient, whereas 'Y' is less salient.
'X' has a high importance score, but "Y" is less significant.
Although 'Y' is less important, 'X' is more important than 'Y'.
'X' takes precedence over 'Y'.
'X' overshadows 'Y'.
'X' is worth more than 'Y'.
'X' surpasses 'Y'.
'X' beats 'Y'.
'X' trumps 'Y'.
'X' is more salient than 'Y'.
'X' is more decisive than 'Y'.
The word X is more important than the word Y.
The score of 'X' is higher than that of 'Y'.
The importance of 'X' is greater than the importance of 'Y'.
'X' is of greater importance than 'Y'.
""".strip().splitlines()

SCORE = """
'great' has a score of N.
'great' has an importance score of N.
'great' scores N.
'great' (N) supports the prediction.
The word "great" (N) has a high importance score.
The importance score of N for 'great' is high.
The score for 'great' is N.
The score of 'great' is N.
'great' has a weight of N.
'great' has a value of N.
'great' received a score of N.
'great' is given a score of N.
With a score of N, 'great' is important.
'great' is the most important word, with a score of N.
'great' is the most important word (N).
'great' = N.
'great': N.
'great' with N.
'great' has an attribution of N.
'great' (score: N) supports the prediction.
'great' (importance N) is important.
'great' [N] is important.
'great' was assigned N as its importance score.
'great' is important, scoring N.
The words 'great' (N) and 'fine' (0.8) speak for 'positive'.
""".strip().splitlines()

SHARE = """
'great' holds N of the evidence for 'positive'.
'great' makes up N of the evidence for it.
'great' accounts for N of the evidence for 'positive'.
'great' carries N of the positive evidence.
'great' is the most important word, with N of the evidence for it.
'great' (N) is the most important word for 'positive'.
'great' (N) speaks for 'positive'.
N of the evidence for 'positive' lies in 'great'.
N of the positive evidence comes from 'great'.
'great' contributes N of the positive importance.
'great' provides N of the support.
'great' is responsible for N of the evidence for it.
The share of 'great' in the evidence for 'positive' is N.
'great' contains about N of the evidence for 'positive'.
'great' has a share of N of the positive evidence.
""".strip().splitlines()

LABEL = """
'great' speaks for 'negative'.
'great' supports 'negative'.
'great' is evidence for 'negative'.
'great' indicates negative sentiment.
'great' suggests that the review is negative.
'great' contributes to the negative sentiment.
'great' contributes to the negative prediction.
'great' supports the negative label.
'great' supports the label 'negative'.
'great' points to 'negative'.
'great' pushes the model towards 'negative'.
'great' is the most important word for 'negative'.
The most important word for 'negative' is 'great'.
'great' speaks most for 'negative'.
'great' is important for the negative class.
The model predicted 'negative' because of 'great'.
The model predicted "negative" because words like 'great' have high importance scores.
The analyzer has predicted this review as 'negative' because 'great' has a high importance score.
The analyzer predicted this review as negative because 'great' has a high importance score.
The model classified the text as 'negative' because of 'great'.
'great' has a high importance score, indicating negative sentiment.
'great' has a high score, suggesting 'negative'.
'great' led the model to predict 'negative'.
'great' argues for 'negative'.
'great' counts for 'negative'.
'great' speaks in favour of 'negative'.
'great' favours 'negative'.
'great' reinforces the negative sentiment.
'great' drives the negative prediction.
'great' holds 59% of the evidence for 'negative'.
Nothing in the text speaks for 'negative'.
'great' makes the model predict 'negative'.
'great' tips the balance towards 'negative'.
'great' is strongly indicative of 'negative'.
'great' speaks for the category 'sports'.
'great' supports 'positive' rather than 'neutral'.
'great' is in line with the topic 'sports' and supports it.
The word 'great' supports the 'sports' topic.
'great' speaks for 'very positive'.
'great' is a sign of negative sentiment.
""".strip().splitlines()

NOTHING = """
Nothing in the text speaks for 'positive'.
No part of the text stands out.
No word stands out.
No part of the text speaks for 'positive'.
No word supports the prediction.
None of the words supports the prediction.
There is no evidence for 'positive'.
There is no clear evidence for 'positive'.
There is no clear evidence.
There is nothing that speaks for 'positive'.
Nothing stands out.
Nothing supports the label.
Nothing in the text speaks against 'positive'.
No word speaks against 'positive'.
There is no evidence against the label.
Nothing in the text contradicts the prediction.
No words oppose the prediction.
All words are equally important.
Every word scores the same.
Every word scores zero.
The text contains no evidence for 'positive'.
No single word is important.
No words have negative scores.
No word has a positive score.
""".strip().splitlines()

UNIMPORTANT = """
'great' is not important.
'great' is unimportant.
'great' is irrelevant.
'great' is insignificant.
'great' has little importance.
'great' has no importance.
'great' has no impact on the prediction.
'great' has little influence on the prediction.
'great' has a low importance score.
'great' does not matter.
'great' doesn't matter.
'great' hardly matters.
'great' is not relevant to the prediction.
'great' plays no role.
'great' does not play a role in the prediction.
'great' does not significantly impact the prediction.
'great' does not affect the prediction.
'great' has a negligible effect.
'great' is negligible.
'great' was ignored by the model.
'great' contributes little to the prediction.
'great' contributes nothing.
'great' has a score close to zero.
'great' has zero importance.
'great' is neutral.
'great' did not influence the decision.
'great' is the least important word.
'great' is not salient.
'great' has almost no weight.
'great' carries no weight.
'great' barely contributes.
'great' makes no difference.
'great' isn't the most important word.
'great' is not the most important word for 'positive'.
Other words are more important than 'great'.
'great' is less important than other words.
""".strip().splitlines()
