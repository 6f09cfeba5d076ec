"""The words that the reader knows, by word class. A word that is in no class makes a clause unread.

A class lists words and phrases, separated by "|"; hyphens count as blanks. `VERBS` lists verbs by their base forms; each class of
verbs NAME gives the classes NAME (finite forms), NAME_G (-ing forms) and NAME_P (past participles).
"""
# ruff: noqa: E501 - word lists are easier to read unbroken

from __future__ import annotations

from functools import cache

from verbalize.read.grammar.inflection import forms

WORDS: dict[str, str] = {
    # determiners and pronouns
    "DET": "the|a|an|this|that|these|those|its|their",
    "THE": "the",
    "ARTICLE": "a|an",
    "EACH": "each|respectively|apiece|individually",
    "BOTH": "both",
    "ALL": "all|all of|every|each|each of|every one of|each and every",
    "ANY": "any|any of|any single|a single|one single",
    "NO": "no|not a|not a single|not one|not any|no single|none of|not one of|zero",
    "NOTHING": "nothing|none|nobody|no one",
    "SOME": "some|some of|several|a few|many|most of|a number of",
    "IT": "it|this|that one|the former",
    "THEY": "they|these|those|these two|these three|these four|both|both of them|all of them|all three|all four|all of these|all of which|both of which",
    "THISWORD": "this word|that word|this term|this token|this phrase|that phrase|this region|that region|this part|this expression|this one|this area",
    "THESEWORDS": "these words|those words|these terms|these tokens|these phrases|these regions|these parts|these two words|these three words|both words|both phrases|both regions|both terms|these expressions|all three words|all these words|all of these words|these two terms|these two regions|these two phrases|both of these words|both of the words",
    "WHICH": "which|that|who",
    "THERE": "there",
    # nouns for parts
    "WORDN": "word|words|phrase|phrases|term|terms|token|tokens|expression|expressions|keyword|keywords|span|spans|"
    "part of the text|parts of the text|part of the picture|parts of the picture|part of the image|parts of the image|part of the input|parts of the input|part|parts|passage|passages|region|regions|area|areas|patch|patches|feature|features|element|elements|input|inputs|one|ones|superpixel|superpixels|segment|segments|"
    "single word|individual word|individual words|piece of text|bit of text|input feature|input features|text feature|entry|item|mask|object|part of the review|part of the sentence|content word|piece of the text",
    "ROLEN": "factor|factors|reason|reasons|driver|drivers|driving force|driving factor|consideration|considerations|contributor|contributors|determinant|determinants|indicator|indicators|signal|signals|cue|cues|clue|clues|influence|influences|force|component|ingredient|basis|foundation|cause|causes|explanation|trigger|lever|hint|voice|player|pillar|player",
    "EVIDN": "evidence|piece of evidence|pieces of evidence|argument|arguments|support|backing|case|sign|signs|item of evidence|testimony|point|points|ground|grounds|vote|votes",
    "SUPN": "supporter|supporters|advocate|advocates|ally|champion|backer|proponent|proponents|booster|contributor in favour|supporting word|supporting words|supporting factor|supporting evidence|pillar of support|source of support|supportive word|supportive words",
    "OPPN": "opponent|opponents|counterargument|counterarguments|counter argument|counterevidence|counter evidence|detractor|detractors|obstacle|counterweight|counterpoint|opposing word|opposing words|opposing factor|dissenter|dissenting voice|drag|brake|objection|opposition|opposing evidence|critic|opposing force|strike against it|headwind|counter cue|counter evidence|counter signal",
    "WEIGHTN": "weight|weights|weighting|importance|influence|influences|impact|impacts|effect|effects|score|scores|importance score|importance scores|saliency score|saliency scores|salience score|attribution score|attribution scores|attribution|attributions|attribution value|attribution values|value|values|relevance|relevance score|contribution|contributions|"
    "saliency|saliency value|salience|significance|bearing|pull|sway|say|role|part to play|prominence|strength|importance value|importance values|importance weight|importance weights|magnitude|emphasis|attention|credit|attention weight|saliency weight|saliency scores|force|hold|net score|net contribution|push",
    "SCOREN": "score|scores|importance score|importance scores|saliency score|saliency scores|attribution score|attribution scores|attribution|value|weight|importance|importance value|relevance score|attribution value|saliency|salience score|importance weight|contribution|net score|saliency value|net contribution",
    "MASSN": "evidence|importance|attribution|attributions|saliency|salience|weight|weights|mass|support|influence|relevance|score|scores|contribution|contributions|backing|total|importance mass|attribution mass|saliency mass|signal|significance|total evidence|total importance|total attribution|total weight|total influence|total score|total attribution mass|overall importance|overall weight|overall evidence|overall attribution|whole evidence|available evidence|attention|case|argument|explanation|opposition|pull|push|credit|impact|sum",
    "SIDEDMASS": "supporting evidence|supportive evidence|supporting weight|supporting mass|support|total support|total positive evidence|total positive weight|total positive attribution|total positive score|positive side|backing",
    "NEGMASS": "opposing evidence|opposing weight|opposition|total opposition|total negative evidence|total negative weight|total negative attribution|counterevidence|negative side|contrary evidence|counter evidence",
    "TOTAL": "total|overall|entire|whole|combined|all|absolute|all of|all the|complete|summed|available",
    "WHOLEN": "text|picture|image|review|article|sentence|input|passage|document|message|headline|post|comment|tweet|map|saliency map|attribution map|heatmap|heat map|explanation|importance map|photo|photograph|input text|whole text|whole picture|entire text|email|question|story|snippet|paragraph|whole map|movie review|film review|news article|title|example|case",
    # the model and what it decides
    "MODELN": "model|program|software|computer|artificial intelligence|classifier|network|neural network|system|analyzer|analyser|algorithm|language model|sentiment analyzer|sentiment analyser|topic classifier|sentiment classifier|text classifier|image classifier|machine|sentiment model|ai|detector|ai model|predictor",
    "MODELS": "model's|classifier's|network's|system's|analyzer's|analyser's|algorithm's|its|machine's|detector's|predictor's",
    "PREDN": "prediction|predictions|decision|classification|outcome|verdict|label|labels|class|classes|category|choice|answer|conclusion|result|judgment|judgement|call|topic|sentiment|rating|output|group|diagnosis|pick|assessment|reading|genre|intent|emotion|tone|stance|hypothesis|class label|labelling|labeling|ruling|side|direction",
    "PREDADJ": "predicted|final|overall|chosen|assigned|given|resulting|present|current|same|model's|classifier's|network's|system's|analyzer's|its|particular|eventual|ultimate|target|correct label|own|topic|sentiment|class|emerging|ultimate|overall",
    "PREDICT": "predict|predicts|predicted|chose|choose|chooses|picked|picks|pick|classify|classified|classifies|select|selected|selects|assign|assigned|assigns|decide on|decided on|decides on|settled on|settles on|settle on|label|labelled|labeled|labels|categorised|categorized|categorise|categorize|output|outputs|opted for|opts for|went with|goes with|go with|landed on|lands on|decided for|decides for|call|calls|called|rated|rates|arrived at|arrives at|reached|says|said|voted for|identified|recognised|recognized|tagged|marked|sided with|sides with|came down on|returned|returns|gave|gives|concluded",
    "PREDICT_G": "predicting|choosing|picking|classifying|selecting|assigning|deciding on|deciding|settling on|labelling|labeling|deciding for|calling|reaching|arriving at|making|concluding|opting for",
    "AS": "as|as being|to be|as to be",
    "INTO": "to the class|to|into|under|as belonging to|in",
    "PROBN": "probability|confidence|likelihood|score|certainty|odds|chance|chances|confidence score|predicted probability|probability score|estimated probability|softmax probability|class probability",
    # importance
    "ADJ": "important|salient|significant|influential|relevant|indicative|prominent|telling|notable|impactful|consequential|informative|persuasive|weighty|meaningful|predictive|noteworthy|central|key|of importance|of significance|of relevance|of note|responsible|supportive|valuable|convincing|compelling|contributory|of interest|effective|heavily weighted|pronounced|useful|helpful",
    "STRONGADJ": "crucial|critical|essential|decisive|pivotal|vital|instrumental|dominant|powerful|paramount|determining|very important|highly important|extremely important|very influential|highly influential|particularly important|highly significant|very significant|highly relevant|very relevant|highly salient|very salient|particularly influential|highly indicative|strongly indicative|strongly supportive|of great importance|of major importance|of high importance|particularly salient|especially important|especially influential|particularly relevant|particularly significant|extremely influential|highly weighted|hugely important|indispensable|strongly positive|very strong|quite important|potent|substantial|heavily weighted|key to|considerable",
    "WEAKADJ": "slightly important|somewhat important|mildly important|marginally important|of minor importance|of little importance|not very important|less than decisive|slightly relevant|somewhat relevant|of limited importance|weak|faint|slight|modest|minor|small|mild|of secondary importance|little",
    "SUPADJ": "favourable to|favorable to|supportive of|on the side of|consistent with|in line with|conducive to|indicative of|suggestive of|behind|positive for|positively associated with|associated with|strongly associated with|linked to|good for|positively linked to|in support of|sympathetic to|aligned with|strongly indicative of|a hallmark of|characteristic of|typical of|a clear sign of|a strong sign of|a signal of|a mark of|a strong indicator of|an indicator of|pro|a clue to|an indication of",
    "OPPADJ": "at odds with|inconsistent with|contrary to|in conflict with|unfavourable to|unfavorable to|hostile to|negative for|negatively associated with|bad for|in opposition to|on the other side of|adverse to|detrimental to|harmful to|a strike against|counter to|a mark against|incompatible with|in tension with|negatively linked to|a drag on|a counterargument to|a counterweight to|an obstacle to|a brake on|opposed to|a black mark against|a hindrance to|damaging to|a liability for|an objection to",
    "UNADJ": "unimportant|irrelevant|insignificant|negligible|immaterial|inconsequential|uninformative|uninfluential|beside the point|of no importance|of no consequence|of no significance|of no relevance|neutral|without influence|without effect|without importance|without any influence|without any effect|of no account|inert|close to zero|near zero|next to nothing|practically irrelevant|essentially irrelevant|largely irrelevant|virtually irrelevant|all but irrelevant|almost irrelevant|nearly irrelevant|practically neutral|essentially neutral|close to irrelevant|close to neutral|zero|around zero|about zero|almost zero|not worth mentioning|trivial|of little consequence|almost neutral|nearly zero|close to nil|nil|mostly irrelevant",
    "SUPER": "strongest|biggest|largest|greatest|highest|heaviest|top|main|primary|chief|principal|leading|foremost|number one|dominant|predominant|weightiest|clearest|best|single biggest|single largest|single strongest|single most|single greatest|maximum|peak|top ranked|top scoring|highest scoring|highest ranked|highest ranking|loudest|deciding|overriding|first|prime|most|mightiest|overarching|key driving|key|highest rated|strongest single|biggest single|single heaviest|decisive|steepest|top rated",
    "SUPERLOW": "weakest|smallest|lowest|lightest|least|slightest|minimum|faintest|bottom|tiniest|lowest scoring|lowest ranked|lowest ranking",
    "MOST": "most|the most|by far the most|most of all|single most",
    "LEAST": "least|the least|by far the least|least of all",
    "MORE": "more|stronger|bigger|larger|greater|higher|heavier|weightier|better|more strongly|more heavily|more clearly|more decisively|harder|more powerfully|more forcefully|more firmly|more than does|more loudly|more markedly|further|even more|still more|more significantly|more substantially",
    "FARMORE": "far more|much more|considerably more|far stronger|much stronger|far greater|much greater|far higher|much higher|far larger|much larger|considerably higher|considerably stronger|significantly more|substantially more|a lot more|a great deal more|far more strongly|much more strongly|far more heavily|much more heavily|vastly more|significantly higher|substantially higher|much bigger|far bigger|considerably larger|considerably greater|way more|markedly more|significantly stronger|much heavier|far heavier|a much higher|far weightier",
    "SLIGHTLYMORE": "slightly more|a little more|somewhat more|slightly higher|slightly stronger|slightly larger|slightly greater|a bit more|marginally more|marginally higher|marginally stronger|slightly more strongly|a touch more",
    "LESS": "less|weaker|smaller|lower|lighter|lesser|fewer|less strongly|less heavily|less clearly|slighter|even less|still less|comparatively less|relatively lower|comparatively lower",
    "FARLESS": "far less|much less|considerably less|far weaker|much weaker|far lower|much lower|far smaller|much smaller|considerably lower|significantly less|substantially less|a lot less|far less strongly|much less strongly|considerably weaker|considerably smaller|significantly lower|substantially lower|way less",
    "SLIGHTLYLESS": "slightly less|a little less|somewhat less|slightly lower|slightly weaker|slightly smaller|a bit less|marginally less|marginally lower",
    "THAN": "than|compared to|compared with|relative to|in comparison to|in comparison with|when compared to|when compared with",
    "EQUALLY": "equally|just as|exactly as|every bit as|the same|about as|roughly as|as|identical|equal|same|an equal|identically|alike|in equal measure|to the same degree|to the same extent|by the same amount|tied|comparable",
    "ASW": "as",
    "MUCH": "much|strongly|heavily|clearly|hard|greatly|powerfully|large|great|strong|high|heavy|big",
    "HIGH": "high|large|strong|great|big|heavy|major|considerable|substantial|significant|sizeable|sizable|notable|powerful|strongly positive|high positive|very high|particularly high|relatively high|rather high|fairly high|quite high|decisive|marked|pronounced|strong positive|important|key|clear|large positive|crucial|central|vital|prominent|dominant|lot of|a lot of|plenty of|much|a great deal of|a good deal of|great deal of|critical|pivotal|heavily|enormous|huge|real|strongly|moderate|remarkable|profound|relatively large|especially high",
    "POS": "positive|favourable|favorable|supportive|positively signed|supporting|upward",
    "NEG": "negative|adverse|unfavourable|unfavorable|opposing|negatively signed|contrary|downward|detrimental|strongly negative|slightly negative",
    "LOW": "low|small|weak|tiny|modest|slight|minor|limited|faint|very low|relatively low|rather low|fairly low|marginal|mild|light|minimal|little|very little|only little|only a little|only a small|only a slight|only a minor|only a weak|just a small|quite low|comparatively small|only a modest|only modest",
    "ZERO": "zero|no|almost no|virtually no|next to no|practically no|hardly any|barely any|negligible|near zero|scarcely any|essentially no|near negligible|little to no|almost zero|no real|no measurable|no discernible|no appreciable|little or no|not any|neutral|close to no",
    "DEGS": "strongly|heavily|greatly|considerably|substantially|powerfully|significantly|markedly|decisively|a great deal|a lot|to a large extent|to a large degree|to a great extent|to a considerable extent|highly|firmly|forcefully|very|very strongly|very much|a good deal|hard|so strongly|extremely|deeply|hugely|very heavily|profoundly|massively|loudly|quite strongly|strong|emphatically",
    "DEGW": "weakly|slightly|mildly|faintly|modestly|marginally|somewhat|a little|a bit|to a small extent|to a small degree|to a lesser extent|to a minor extent|to some small extent|only slightly|only weakly|only a little|only marginally|only faintly|only mildly|only modestly|very slightly|just slightly|gently|softly|only a bit|a tiny bit",
    "DEGM": "moderately|fairly|rather|quite|reasonably|to some extent|to some degree|to a degree|relatively|noticeably|appreciably|meaningfully|measurably|particularly|especially|actively|directly",
    "TOPADV": "mainly|primarily|chiefly|predominantly|principally|above all|first and foremost|most of all|mostly|largely|most strongly|most heavily|most clearly|most powerfully|most decisively|most significantly|hardest|overwhelmingly|for the most part|most notably|most markedly|most importantly|more than anything|more than anything else|more than any other|more than anything else in the text|loudest|by far the most|best|most|the most|strongest|most directly|most positively|most prominently|most forcefully",
    "LEASTADV": "least|the least|least of all|less than any other word|less than any other|least strongly|most weakly|less than anything else",
    "FORMOST": "by far|clearly|easily|undoubtedly|definitely|without question|hands down|far and away|without a doubt|single|no doubt|comfortably",
    "ALONE": "alone|by itself|on its own|all by itself|single handedly|on their own|itself|by themselves",
    "ONLY": "only|solely|exclusively|just|nothing but|purely|entirely|no word but|no words but|none but|only the word|only the words|nothing other than",
    "SOLE": "only|sole|lone|single|one and only",
    "TWICE": "twice|double|two times|two fold|twofold",
    "TIMESN": "times|fold|x",
    "HALFAS": "half",
    # negation
    "NOT": "not|never|does not|do not|did not|is not|are not|was not|were not|has not|have not|had not|by no means|in no way|not at all|not really|not actually|nor|no longer",
    "DO": "do|does|did|doing",
    "DOESNOT": "does not|do not|did not|have not|has not|do not seem to|does not seem to|did not seem to|never|fails to|fail to|failed to|does nothing to|do nothing to|did nothing to|in no way|does not actually|does not really|cannot be said to|can not be said to",
    "ISNOT": "is not|are not|was not|were not|is by no means|are by no means|is never|is hardly|is far from|are far from|is anything but|is in no way|is not really|is not at all",
    "HARDLY": "hardly|barely|scarcely|hardly ever|not really|does not really|practically does not",
    "HASNO": "has no|have no|had no|carries no|carry no|carried no|bears no|lacks|lack|lacked|plays no|play no|played no|makes no|make no|made no|is without|receives no|gets no|lacks any|has not any|exerts no|does not have|do not have|did not have|does not carry|do not carry|does not play|did not play|does not have any|does not carry any|has hardly any|carries hardly any|has barely any|has practically no|has virtually no|has almost no|plays hardly any|plays almost no|plays practically no|carries almost no|carries practically no|carries virtually no|has next to no|had almost no|does not hold|does not make",
    "NODIFF": "difference|role|part|impact|effect|influence|weight|importance|bearing|significance|relevance|contribution|say|pull|score",
    # prepositions and connectives
    "FOR": "for|in favour of|in favor of|on behalf of|pro|in support of|on the side of|in the direction of",
    "AGAINST": "against",
    "TO": "to",
    "TOWARD": "toward|towards|to|in the direction of|in favour of|in favor of|closer to|over to|for|nearer to",
    "AWAY": "away from|further from|farther from|further away from|against|off",
    "ON": "on|upon|in|over|to|for|when it comes to|with respect to|with regard to|regarding|as regards",
    "OF": "of",
    "INSIDE": "in|within|inside|as in|as part of",
    "POSSESSIVE": "'s",
    "BEINGW": "being|is|was|to be|belongs to|be",
    "IN": "in|within|inside|throughout|across|of|from",
    "BY": "by",
    "WITH": "with|at|having|given|scoring|holding|carrying|on|for|by|contributing|making up|accounting for|representing|providing",
    "FROM": "from|in|with|on|by",
    "BECAUSE": "because|since|as|for the reason that|given that|seeing that|in that",
    "BECAUSEOF": "because of|due to|owing to|thanks to|on account of|as a result of|based on|on the basis of|on the strength of|by virtue of|on the grounds of|on the evidence of|driven by|on|from|given|swayed by|persuaded by|guided by|relying on|by relying on|on the back of|through|in light of",
    "AND": "and|as well as|along with|together with|plus|and also|but also|and then|&|and likewise|and even",
    "OR": "or|nor",
    "BUT": "but|while|whereas|whilst|although|though|yet|however|even though|even if|and yet|despite the fact that|but then",
    "THEN": "then|next|after that|followed by|then by|and then by|ahead of|before|trailed by|and then|closely followed by|in front of|next in line|in turn followed by|followed closely by|and next|succeeded by|after which|followed at some distance by|second|third",
    "FOLLOWED": "followed by|then by|trailed by|closely followed by|followed closely by|followed in turn by|followed at some distance by|succeeded by|and then by|in turn followed by|followed next by|chased by",
    "AFTERB": "after|behind|next to|right behind|just behind|right after",
    "RATHER": "rather than|instead of|as opposed to|over|versus|vs|and not|not|in preference to|in place of|as against",
    "SUCHAS": "such as|like|including|for example|for instance|namely|particularly|especially|e g",
    # fillers that can't change what is true
    "FILL": "also|on the other side|ranked by score|by score|ordered by score|in terms of scores|by importance|on this map|for the model|to the model|in the eyes of the model|by the numbers|too|as well|here|overall|indeed|additionally|furthermore|moreover|in addition|in turn|thus|therefore|hence|so|consequently|as a result|accordingly|clearly|evidently|plainly|in fact|in particular|notably|in this case|in this text|in this example|in this instance|in this review|in this sentence|in this article|in this input|in this picture|in this image||if anything|key takeaway|in the eyes of the classifier|long story short|bottom line|to be clear|among others|amongst others|among other words|at all|whatsoever|all things considered|on the whole|when it comes down to it"
    "however|by contrast|in contrast|on the other hand|on the one hand|on the contrary|conversely|instead|meanwhile|then|likewise|similarly|at the same time|in other words|put differently|to be precise|to be exact|of course|naturally|in short|in sum|in summary|to sum up|all in all|on balance|nevertheless|nonetheless|even so|firstly|secondly|finally|lastly|interestingly|strikingly|unsurprisingly|surprisingly|remarkably|further|"
    "likely|probably|apparently|seemingly|presumably|evidently|in the text|in the review|in the picture|in the image|in the input|in the sentence|in the article|of the text|of the review|of the picture|of the image|of the input|in the whole text|in the entire text|thereby|both|generally|itself|themselves|actually|really|simply|quite simply|effectively|by comparison|in comparison|for its part|for their part|instead|in this context|in the passage|in the message|in the document|in the headline|in the post|in the map|"
    "accordingly|correspondingly|undoubtedly|certainly|definitely|obviously|specifically|most notably|crucially|importantly|significantly enough|more specifically|taken as phrases|taken alone|as phrases|as a phrase|looking closer|on inspection|after all|that is|in the end|ultimately|in essence|basically|for this input|for this text|for this review|within the text|within the review|in that text|in this headline|in this message|in this document|in this passage|in the given text|in turn|now",
    "SAYS": "according to|as shown by|judging by|based on|as indicated by|as seen in|going by|looking at|from|in|by|on|as per|per|following|in view of",
    "EXPLN": "saliency map|map|attribution map|heatmap|heat map|explanation|attribution|attributions|importance scores|saliency scores|attribution scores|scores|saliency|importance map|attribution method|evidence|analysis|attribution analysis|saliency analysis|numbers|figures|weights|saliency values|importance values|token attributions|token scores|explainer|feature attributions|scores of the map|our analysis|this analysis",
    "SHOWS": "show|shows|showed|indicate|indicates|indicated|reveal|reveals|revealed|suggest|suggests|suggested|tell us|tells us|say|says|make clear|makes clear|confirm|confirms|demonstrate|demonstrates|highlight|highlights|point out|mean|means|imply|implies|make it clear|makes it clear|report|reports",
    "WESEE": "we see|we can see|one sees|it can be seen|it is clear|it is evident|we find|we observe|it turns out|it appears|it seems|you can see|note|it should be noted|it is worth noting|it is notable|one can see|it is apparent|observe|it is important to note|this means|that means|it follows|in other words|i count|we count|one counts|our analysis shows|the analysis shows|i find|one finds|note that|we note",
    "THAT": "that",
    "INDICATING": "indicating|suggesting|signalling|signaling|implying|showing|demonstrating|signifying|meaning|reflecting|reinforcing|supporting|strengthening|favouring|favoring|pointing to|pointing towards|hinting at|leading to|contributing to|driving|pushing towards|confirming|backing|underscoring|which indicates|which suggests|which signals|which supports|which reinforces|which implies|which points to|which contributes to|bolstering",
    "INDICATE": "indicate|indicates|indicated|suggest|suggests|suggested|signal|signals|signalled|signaled|imply|implies|implied|hint at|hints at|convey|conveys|conveyed|express|expresses|expressed|reflect|reflects|reflected|denote|denotes|mark|marks",
    "INDICATETHAT": "indicating that|suggesting that|showing that|meaning that|implying that|demonstrating that|which indicates that|which suggests that|which means that|which shows that|signalling that|signaling that|indicate that|indicates that|suggest that|suggests that|revealing that|making clear that|so|which implies that|means that|shows that|show that|mean that",
    "LEADING": "leading|prompting|causing|pushing|driving|inducing|nudging|steering|convincing|persuading|moving|bringing|swaying|which leads|which led|which prompts|which causes|which pushes|tipping|tilting",
    "MAKINGIT": "making it|which makes it|and makes it|making this|so it is|making them|which makes them|and is therefore|and so is|and is thus|rendering it",
    "MORELIKELY": "more likely|more probable|likelier|more plausible",
    "LESSLIKELY": "less likely|less probable|less plausible",
    "RANKV": "rank|ranks|ranked|come|comes|came|place|places|placed|finish|finishes|finished|stand|stands|sit|sits|is ranked|are ranked|is placed|lie|lies|is|are|comes in|came in|come in",
    "LAST": "last|at the bottom|bottom|at the very bottom|in last place|dead last|lowest",
    "FIRSTPLACE": "first|at the top|top|number one|in first place|first in importance|first in the ranking|at the very top|highest|at number one|first by importance|at the head of the list|first in order of importance|in top position|on top",
    "INPLACE": "in importance|in the ranking|in order of importance|by importance|in terms of importance|in weight|in terms of weight|in terms of influence|in influence|in rank|in strength|among the words|in line|in terms of score|by score|by weight|in size|overall|in the list|in magnitude",
    "PLACEN": "place|position|rank|spot|slot|ranking",
    "SECONDTO": "second to|second only to|runner up to|second behind|next after|next behind|second after",
    "ABOVE": "above|over|ahead of|before|in front of",
    "BELOW": "below|under|behind|after|beneath",
    "REST": "any other word|any other|all other words|all others|all the others|the others|the rest|the rest of the text|the rest of the words|every other word|anything else|everything else|all the other words|any other token|all other tokens|every other token|any other phrase|any other part|any other part of the text|all the rest|the other words|other words|any other term|all other terms|every other term|any other region|all other regions|every other region|the rest of the picture|the remaining words|all remaining words|any of the others|any of the other words|each of the other words|all of the others|every other part|all other parts|any single other word|any other single word|every one of the others|the other tokens|the other regions|any other feature|all other features|anything else in the text|everything else in the text|any other word in the text|all other words in the text|any of the rest|the rest of the input|the rest of the image|the rest of the map|the rest of the field|every other feature|any other input",
    "OTHERN": "other word|other words|other token|other part|other region|other term|other phrase|other single word|other feature|other part of the text|other tokens|other parts|other terms|word|words|token|tokens|term|terms|phrase|part|part of the text|part of the picture|part of the image|region|regions|single word|feature|features|parts of the text|part of the input|area|one|input token|individual word|pixel|pixels|piece of the text|part of the review|phrases|parts|word of the text|word in the text|word in it",
    "ELSE": "else|other|others|otherwise",
    "RESTN": "the rest of the text|the rest of the picture|the rest of the image|the rest of the words|the other words|the remaining words|the rest|the remainder|all other words|everything else|the remaining text|the rest of the input|other words|all the other words|all the others|the others|the rest of it|the rest of the tokens|the remaining tokens|the other tokens|the words not named here",
    "OCCUR": "occurrence|occurrences|instance|instances|mention|mentions|appearance|appearances|use|uses|presence|presence and position",
    "PRESENCE": "presence|occurrence|appearance|mention|use|inclusion|wording|choice|appearance",
    "ORDINAL": "",  # given by the tokenizer
    "LASTOCC": "last|final",
    "LISTVERB": "are|is|were|was|include|includes|included|would be|follow|read",
    "MORETHANHALF": "most of|the bulk of|the majority of|the lion's share of|the larger part of|the greater part of|more than half of|over half of|the better part of|a majority of|the largest part of|most|the larger share of|the greater share of|the vast majority of|well over half of",
    "LESSTHANHALF": "less than half of|under half of|a minority of|the smaller part of|not even half of|the lesser part of|the smaller share of|only a minority of",
    "ALLOF": "all of|all|the whole of|the entirety of|the entire|the whole|every bit of|all the",
    "NEARLYALLOF": "nearly all of|almost all of|virtually all of|practically all of|nearly all|almost all|close to all of|just about all of|the overwhelming majority of",
    "EXCEPT": "except|except for|apart from|other than|besides|aside from|but|save|save for|but for|with the exception of|bar",
    "ABSENT": "absent from|missing from|not in|not present in|not part of|nowhere in|not contained in|not found in",
    "APPEAR": "appear in|appears in|appeared in|occur in|occurs in|occurred in|feature in|features in|be found in|exist in|figure in|form part of|show up in|shows up in|appear anywhere in|occur anywhere in|appear",
    "CONTAINNO": "does not contain|do not contain|contains no|never mentions|never uses|does not mention|does not include|lacks|never says|does not use|never contains|does not have|says nothing of",
    "CONTAIN": "contains|contain|includes|mentions|uses|features|has",
    # sums
    "SUMMING": "together|combined|taken together|jointly|between them|in sum|collectively|all together|added together|as a pair|in combination|summed|added up",
    "CLOSE": "close to|near|around|about|roughly|of about|of around|of roughly|of only|of just|of",
    # words of single rules
    "THINGS": "the balance|things|the scales|the needle|it|the dial",
    "POSLY": "positively|favourably|favorably",
    "NEGLY": "negatively|adversely|unfavourably|unfavorably",
    "UNIMP": "does not matter|do not matter|did not matter|is ignored|counts for nothing|contributes nothing",
    "REALW": "real|clear|any|measurable|noticeable|appreciable|meaningful|particular|special|great|discernible|visible|true|notable|overall|much|good",
    "CLEARW": "clear|obvious|visible|real|direct|solid|further|other|strong|convincing|single",
    "COUNTS": "registers|register|figures|figure|counts|weighs|features|rates|rate|rated",
    "IGNORED": "ignored|disregarded|overlooked|practically ignored|virtually ignored|largely ignored|all but ignored|discounted|left aside|passed over",
    "BEHINDW": "behind|underlying|driving|of",
    "EXPLAINW": "explaining|driving|determining|deciding",
    "ONEOF": "one of|part of|one among|among|two of|three of|some of",
    "AMONG": "among|amongst|one of|counted among|in",
    "AMONGW": "among|amongst",
    "NEVER": "ever so",
    "TOPLIST": "tops the list|top the list|topped the list|heads the list|leads the list|leads the ranking|heads the ranking|tops the ranking|leads the way|leads the field|leads the pack|takes first place|takes the lead|comes out on top|came out on top|comes out first|comes in first|takes the crown|holds first place|is unmatched|is unsurpassed|is second to none|has no equal|is in the lead|takes top spot|takes the top spot|wins out|leads|is the leader|came in first",
    "TAKEV": "takes|take|took|occupies|occupy|claims|gets|comes in|finishes in|is in|ranks in|sits in|lands in|holds|stands in|comes in at|secures",
    "RANKNUM": "number two|number three|number four|number five",
    "FARW": "far|a wide margin|a long way|a distance|a lot|a large margin|some margin|some distance|a clear margin",
    "SCOREV": "scores|score|scored|rates|rate|weighs|weigh|registers|ranks|measures",
    "SCOREV_G": "scoring|rating|weighing",
    "CARRYV": "carries|carry|has|have|holds|bears|exerts|receives|gets|contributes|adds|wields",
    "BELONGTO": "belongs to|belong to|goes to|go to|is that of|is held by|are held by|is carried by|is assigned to|is given to|comes from|come from|is for|falls to|fell to|went to|is found on|is attached to|sits on|is on|lies on|rests on|lands on|stands on|is received by|is achieved by|was given to|was assigned to|is claimed by|is borne by|is reserved for|was received by|lie on|of|is earned by|is attributed to|is made by|is found on|is located on|is seen for|is observed for|is seen on|is that for|is the one for|is the one of|is obtained by|is attained by|is shown by",
    "BELONG": "belongs|belong",
    "OFPICTURE": "of the picture's area|of the image's area|of the area of the picture",
    "OFALL": "of all|overall|by far",
    "WHAT": "what|the thing that|the one that",
    "SHAREW": "share|portion|fraction|part|slice|proportion|percentage|chunk|part",
    "LIEIN": "lies in|lie in|sits in|is in|are in|rests in|is found in|is located in|falls on|lies with|is on|rests on|resides in|is concentrated in|is concentrated on|sits with|falls to|goes to|belongs to|is contained in|is held by|is carried by|are held by|are carried by|sits on|is concentrated on|lands on|is borne by|is supplied by|is provided by|is contributed by|is accounted for by|is made up by|is captured by|is taken up by|is generated by|is produced by|is attributable to|is attributed to|can be attributed to|is due to|is down to|can be traced to|traces back to|traces to|is traceable to|stems from|is concentrated|is explained by|is covered by|is delivered by|is owed to|lies on|is delivered from|is assigned to|is allocated to|is given to|is located on|is represented by|is claimed by|is earned by|is credited to|rests with|is shouldered by",
    "COMEFROM": "comes from|come from|came from|derives from|derive from|originates from|originates in|flows from|is from|are from|comes down to|comes solely from|can be found in|is found in|comes in the form of|is to be found in|is offered by|is provided by|is lent by|is supplied by|is given by|is carried by",
    "REST_ON": "rests on|rest on|hinges on|depends on|is based on",
    "GIVENW": "given|assigned|awarded|attributed|credited with|was given|was assigned|is given|is assigned|were given|were assigned|received|has been given|has been assigned|has received|rated at|scored at",
    "GIVENTO": "given to|assigned to|attributed to|belonging to|associated with",
    "SUMTO": "sum to|sums to|add up to|adds up to|total|totals|amount to|amounts to|come to|comes to|equal|equals",
    "SUMW": "sum|total",
    "DIFFW": "difference|gap|margin|distance",
    "GAPW": "gap|lead|advantage",
    "BETWEENW": "between",
    "OTHERSIDE": "other side|the rest|counterevidence|the other|negative ones|positive ones|the negative ones|the positive ones|the negatives|the positives|opposing evidence|the evidence on the other side|those against it|those for it|the opposing side|the other side|those in its favor|those in its favour|the ones against it|the ones for it|the cons|the pros",
    "ABOVEZERO": "above zero|over zero|above 0",
    "BELOWZERO": "below zero|under zero|below 0",
    "DONOTHAVE": "does not have|do not have|did not have|does not carry|do not carry",
    "MADE": "made|given|reached|taken",
    "HAVEX": "has|have|had",
    "PREDICTED": "predicted|classified|labelled|labeled|categorised|categorized|chosen|picked|selected|decided on|settled on|rated|identified|recognised|recognized|reached|arrived at|made|come down on|judged",
    "WENTTO": "went to|goes to|came out as|comes out as|fell on|came down to|landed on",
    "STANDSAT": "stands at|stood at|reached|reaches|equals|is put at|comes to|amounts to|comes out at",
    "SUREW": "sure|confident|certain|convinced",
    "ABOUT": "about",
    "LIKELYW": "likely|probable|likeliest|best|placed|ranked",
    "BESTW": "best|guess|likely",
    "WHENW": "when|in|while|for",
    "WHY": "why|that",
    "FOUND": "found|sees|finds|saw",
    "OFFERS": "offers|gives|provides|contains|holds|shows|presents|offered|contained",
    "SINGLE": "single|individual",
    "AT": "at",
    "EVERYTHING": "everything|all of it|the whole text|the entire text",
    "EMPTYW": "empty|blank",
    "ONLYW": "only|just|a mere|a total of|exactly|precisely|altogether|merely",
    "JUSTW": "just|some",
    "REGIONW": "region|regions",
    "NUMBERW": "number|count",
    "SOLEW": "only|solely|exclusively|nobody but|none but|nothing but|no word but|no one but",
    "ISNOTIN": "is not in|are not in|was not in|is nowhere in|is absent from|are absent from|is missing from|are missing from|is not part of|is not found in|is not present in|is not contained in|is not among the words of|are not part of|is nowhere to be found in",
    "NOTAPPEAR": "does not appear in|do not appear in|does not occur in|do not occur in|never appears in|never occurs in|does not feature in|is never mentioned in|does not appear|does not occur|never appears|never occurs|is not mentioned|are not mentioned|is not mentioned in|are not mentioned in|is not used in|is never used in|cannot be found in|can not be found in|is not to be found in",
    "ANYWHERE": "anywhere in|at all in|anywhere",
    "ABOVEALL": "above all|in particular|most of all|mainly|chiefly|particularly|especially|notably",
    "OPPOSITEW": "the opposite|opposite|the reverse|the contrary",
    "SODO": "so does|so do|so is|so are|so did|as does|as do|as is|as are|likewise|so has|so have|so was|so were",
    "TOOW": "too|as well|also|likewise",
    "SOW": "so",
    "AHEADW": "ahead of|in front of|before",
    "INPREDICTING": "in predicting|when predicting|in choosing|when choosing|in deciding on|when it comes to|in deciding for|with regard to|regarding|as for|when deciding on|in classifying it as|when deciding for|in settling on|for predicting|in favour of",
    "WITHRESPECT": "with respect to|on the question of|as to|in respect of|in terms of",
    "ONW": "on|upon|to|at|onto|in on|from",
    "HELPW": "help|helps|helped|helps to|helped to|help to",
    "READV": "reads|read|sees|saw|takes|took|treats|treated|interprets|interpreted|regards|counts|counted|considers|considered|views|viewed|weighs|understood|understands",
    "PUSHN": "push|pull|nudge|shove|step|lean|move|tilt|boost|lift|pressure|tug|pushback|impetus|momentum|thrust",
    "PROW": "pro|for|in favour|in favor|supporting|positive|pros|speaking for it",
    "CONTRAW": "contra|against|con|opposing|negative|cons|speaking against it",
    "BECOMEW": "becomes|became|grew|grows|gets|got|was made|is made|turned|turns",
    "HELDBACK": "held back|kept down|weighed down|dragged down|pulled down|held down|set back|slowed",
    "MADEDIFF": "makes the difference|make the difference|made the difference",
    "AWAYW": "away|back|off",
    "OPPOSITEDIR": "opposite directions|opposing directions|different directions",
    "SAMEDIR": "the same direction|one direction",
    "IGNOREV": "ignored|ignores|disregarded|disregards|overlooked|overlooks|paid no attention to|pays no attention to|skipped|all but ignored|largely ignored|virtually ignored|hardly looked at|barely looked at|barely noticed|hardly noticed|took no notice of|takes no notice of|made nothing of",
    "NEITHERNOR": "neither for nor against|neither for it nor against|neither against nor for",
    "NEITHERW": "neither",
    "PAYV": "paid|pays|gave|gives|put|puts|placed|places|assigned|assigns|attached|attaches",
    "SHAREV": "share|shares|shared|are tied for|tie for|jointly hold|jointly take",
    "DESPITE": "despite|in spite of|notwithstanding|regardless of",
    "ANOTHERW": "another|a further one|a third|another one|a further",
    "NAMELYW": "namely|that is",
    "AFTERP": "after|next to|besides|apart from|behind",
    "FORMERW": "the former|the former word",
    "LATTERW": "the latter|the latter word",
    "HOLDFOR": "holds for|is true of|applies to|goes for|is the case for|holds of",
    "OTHERWAY": "the other way|in the other direction|in the opposite direction|the opposite way|away from it",
    "FOLLOWSUIT": "follows suit|follow suit|does so too|does so as well|does likewise|do likewise|does the same|do the same|did the same",
    "SAMEGOES": "the same goes for|the same holds for|the same is true of|the same applies to|the same can be said of|this also holds for",
    "TELLV": "tells|tell|told|convinces|convinced|persuades|persuaded|assures|leads|led",
    "INDICATED": "indicated|suggested|signalled|signaled|implied|conveyed|evidenced|borne out|spoken for|argued for",
    "BELIEVEW": "believe in|lean towards|lean toward|think of|go for|opt for|favour|favor|settle on|decide on|think",
    "CONSIDERW": "considers|considered|finds|ranks|deems|rates|thinks",
    "ASWHOLE": "as a whole|taken as a whole",
    "NOSIDE": "take no side|takes no side|take no sides",
    "CANCELS": "cancels out|cancel out|cancels|cancel",
    "LOOKAT": "look at|consider|see|take|take a look at|think of",
    "MORESURE": "more sure of|more confident in|more certain of|more inclined to say|surer of|more convinced of|more confident of|more willing to say|more inclined towards|more inclined toward",
    "LESSSURE": "less sure of|less confident in|less certain of|less inclined to say|less convinced of|less confident of|less willing to say|less inclined towards|less inclined toward",
    "TOPV": "tops|top|topped|leads|lead|led|heads|head|headed",
    "LISTW": "list|ranking|field|group|pack|camp",
    "NOTFIND": "you will not find|one will not find|you can not find|you do not find|you will look in vain for|one looks in vain for",
    "NORW": "nor",
    "UPW": "up|upward|upwards",
    "DOWNW": "down|downward|downwards",
    "DONOTHING": "does nothing|do nothing|did nothing|adds nothing|add nothing|contributes nothing",
    "SOMEW": "some|several|a few|certain",
    "OTHERW": "other|further|additional",
    "MODALW": "may|might|could|may well|would",
    "ENOUGHW": "strong enough|high enough|significant enough|powerful enough|large enough|enough|sufficient",
    "ASSHOWN": "as indicated by|as shown by|as evidenced by|as seen in|judging by",
    "WITHW": "with",
    "RELATEDW": "related",
    "UNLIKEW": "unlike|next to|beside|against|measured against|set against|in contrast to|as opposed to|contrary to|other than",
}

VERBS: dict[str, str] = {
    "SUPT": "support|play/plays/played/played/playing into the hands of|make/makes/made/made/making a case for|favour|favor|back|reinforce|strengthen|bolster|endorse|help|aid|promote|advocate|underpin|justify|corroborate|confirm|affirm|vindicate|substantiate|uphold/upholds/upheld/upheld/upholding|buttress|fuel|encourage|back up|vouch for|testify to|sustain|boost|assist|speak/speaks/spoke/spoken/speaking up for|argue in favour of|warrant|anchor|cement|feed/feeds/fed/fed/feeding|fortify|commend|side with|plead for|count towards|count toward|work in favour of|serve|benefit|corroborate|validate|prop/props/propped/propped/propping up|shore up|advance|lend/lends/lent/lent/lending support to|lend/lends/lent/lent/lending weight to|add weight to|give/gives/gave/given/giving weight to|make/makes/made/made/making the case for|stand/stands/stood/stood/standing behind|speak/speaks/spoke/spoken/speaking in favour of|provide support for|offer support for|provide evidence for|drive up",
    "OPPT": "oppose|hold/holds/held/held/holding back|hold/holds/held/held/holding down|undermine|weaken|contradict|counter|hinder|undercut/undercuts/undercut/undercut/undercutting|inhibit|suppress|offset/offsets/offset/offset/offsetting|temper|mitigate|dampen|diminish|counteract|dispute|challenge|refute|discourage|hurt/hurts/hurt/hurt/hurting|harm|detract from|militate against|clash with|conflict with|disagree with|impede|hamper|erode|cast/casts/cast/cast/casting doubt on|go/goes/went/gone/going against|stand/stands/stood/stood/standing in the way of|disfavour|disfavor|take/takes/took/taken/taking away from|resist|run/runs/ran/run/running counter to|thwart|obstruct|damage|sap/saps/sapped/sapped/sapping|negate|neutralise|neutralize|cut/cuts/cut/cut/cutting against|push back against|push back on|pull against|push against|rebut/rebuts/rebutted/rebutted/rebutting|call/calls/called/called/calling into question|question|chip away at|eat/eats/ate/eaten/eating into|block|drag/drags/dragged/dragged/dragging on|contest|be/is/was/been/being opposed to|discredit|disconfirm|deter/deters/deterred/deterred/deterring|cut/cuts/cut/cut/cutting into",
    "INFT": "influence|be/is/was/been/being responsible for|be/is/was/been/being accountable for|shape|affect|determine|drive/drives/drove/driven/driving|inform|impact|guide|sway|explain|inspire|motivate|trigger|prompt|propel/propels/propelled/propelled/propelling|steer|carry|account for|produce|cause|underlie/underlies/underlay/underlain/underlying|be/is/was/been/being behind|bring/brings/brought/brought/bringing about|define|tip/tips/tipped/tipped/tipping|decide|clinch|seal|feed into|factor into|play into|weigh on|lie/lies/lay/lain/lying behind|stand/stands/stood/stood/standing behind",
    "SPEAK": "play|speak/speaks/spoke/spoken/speaking|argue|count|vote|stand/stands/stood/stood/standing|weigh|testify|work|tell/tells/told/told/telling|talk|plead|militate|lobby|make/makes/made/made/making a case|come/comes/came/come/coming out|come/comes/came/come/coming down|score|push|pull|lean|tilt|pull the scales|act|fight/fights/fought/fought/fighting|campaign|go/goes/went/gone/going",
    "CONTRIB": "contribute|add|be/is/was/been/being conducive|make/makes/made/made/making a contribution|lend/lends/lent/lent/lending itself",
    "PUSH": "push|pull|nudge|move|steer|drive/drives/drove/driven/driving|sway|tip/tips/tipped/tipped/tipping|tilt|shift|swing/swings/swung/swung/swinging|lead/leads/led/led/leading|draw/draws/drew/drawn/drawing|drag/drags/dragged/dragged/dragging|propel/propels/propelled/propelled/propelling|take/takes/took/taken/taking|bring/brings/brought/brought/bringing|bias|direct|guide|lean|turn|pushes|incline|tug/tugs/tugged/tugged/tugging|edge|convince|persuade",
    "POINT": "point|lean|tend|hint|pull|push|gesture|tilt|drift|gravitate|tug/tugs/tugged/tugged/tugging|nudge",
    "RAISE": "raise|increase|boost|lift|push up|enhance|heighten|elevate|improve|drive/drives/drove/driven/driving up|strengthen|bring/brings/brought/brought/bringing up|pull up|add to|bolster|bump up|inflate|send/sends/sent/sent/sending up",
    "LOWER": "lower|reduce|decrease|cut/cuts/cut/cut/cutting|diminish|push down|drag/drags/dragged/dragged/dragging down|bring/brings/brought/brought/bringing down|depress|shrink/shrinks/shrank/shrunk/shrinking|weaken|pull down|drive/drives/drove/driven/driving down|erode|take/takes/took/taken/taking away from|subtract from|eat/eats/ate/eaten/eating into|dent|hurt/hurts/hurt/hurt/hurting|dampen|detract from|reduce",
    "HAVE": "pay/pays/paid/paid/paying|have/has/had/had/having|carry|bear/bears/bore/borne/bearing|get/gets/got/gotten/getting|receive|exert|enjoy|possess|command|show|hold/holds/held/held/holding|exhibit|attract|wield|earn|boast|play|make/makes/made/made/making|obtain|register|score|come/comes/came/come/coming with|provide|be/is/was/been/being given|be/is/was/been/being assigned|be/is/was/been/being awarded|deliver|attain|collect|offer|leave/leaves/left/left/leaving|display|pack|end/ends/ended/ended/ending up with|add|contribute|achieve|take/takes/took/taken/taking|draw/draws/drew/drawn/drawing|be/is/was/been/being of|exercise|gain|post|put/puts/put/put/putting|give/gives/gave/given/giving|pull|own|claim",
    "HOLD": "hold/holds/held/held/holding|make/makes/made/made/making up|account for|carry|contribute|provide|represent|constitute|comprise|supply|contain|take/takes/took/taken/taking up|capture|cover|concentrate|form|be/is/was/been/being responsible for|be/is/was/been/being worth|deliver|explain|have/has/had/had/having|bear/bears/bore/borne/bearing|bring/brings/brought/brought/bringing|attract|receive|gather|claim|generate|shoulder|add up to|come/comes/came/come/coming to|amount to|own|collect|be/is/was/been/being credited with|draw/draws/drew/drawn/drawing|command|take/takes/took/taken/taking|furnish|add|garner|combine for|sum/sums/summed/summed/summing to|produce|absorb|give/gives/gave/given/giving",
    "MATTER": "matter|count|stand/stands/stood/stood/standing out|stick/sticks/stuck/stuck/sticking out|weigh|catch/catches/caught/caught/catching the eye",
    "LEADV": "lead/leads/led/led/leading|prompt|cause|induce|convince|persuade|get/gets/got/gotten/getting|make/makes/made/made/making|push|nudge|bring/brings/brought/brought/bringing|move|drive/drives/drove/driven/driving",
    "BEAT": "outweigh|be/is/was/been/being worth more than|count for more than|carry more weight than|outrank|outscore|exceed|surpass|overshadow|eclipse|beat/beats/beat/beaten/beating|trump|overpower|outstrip/outstrips/outstripped/outstripped/outstripping|dwarf|outdo/outdoes/outdid/outdone/outdoing|top/tops/topped/topped/topping|dominate|outperform|edge out|take/takes/took/taken/taking precedence over|overcome/overcomes/overcame/overcome/overcoming|outclass|come/comes/came/come/coming before|come/comes/came/come/coming ahead of|stand/stands/stood/stood/standing above|prevail over|outmatch|outpace|outshine/outshines/outshone/outshone/outshining|sit/sits/sat/sat/sitting above|beat out|overtake/overtakes/overtook/overtaken/overtaking|precede|win/wins/won/won/winning over|be/is/was/been/being ahead of|override/overrides/overrode/overridden/overriding|weigh more than|tower over|be/is/was/been/being stronger than|lead/leads/led/led/leading",
    "TRAIL": "trail|fall/falls/fell/fallen/falling short of|lag/lags/lagged/lagged/lagging behind|come/comes/came/come/coming after|come/comes/came/come/coming behind|be/is/was/been/being second to|be/is/was/been/being behind|yield to|take/takes/took/taken/taking a back seat to|pale next to|pale beside|play second fiddle to|follow|sit/sits/sat/sat/sitting below|stand/stands/stood/stood/standing below|sit/sits/sat/sat/sitting behind|lie/lies/lay/lain/lying behind|weigh less than|be/is/was/been/being second only to",
    "MATCH": "match|equal|tie/ties/tied/tied/tying with|rival|be/is/was/been/being on a par with|be/is/was/been/being level with|be/is/was/been/being tied with|be/is/was/been/being on par with|keep/keeps/kept/kept/keeping pace with|be/is/was/been/being equal to|be/is/was/been/being neck and neck with",
    "RELYV": "rely|focus|lean|hinge|rest|depend|concentrate|draw/draws/drew/drawn/drawing|build/builds/built/built/building|turn|zoom in|attend|look|pay/pays/paid/paid/paying attention|base/bases/based/based/basing its decision|base/bases/based/based/basing its prediction|be/is/was/been/being based|react|respond|be/is/was/been/being built|be/is/was/been/being due|be/is/was/been/being attributable|be/is/was/been/being down|be/is/was/been/being founded|home in|put/puts/put/put/putting weight|lock|fix|latch|key|be/is/was/been/being attributed|owe itself",
    "RELY": "rely on|rely upon|focus on|lean on|hinge on|hinge upon|rest on|rest upon|depend on|depend upon|pay/pays/paid/paid/paying attention to|look at|zoom in on|latch onto|pick up on|concentrate on|attend to|draw/draws/drew/drawn/drawing on|base/bases/based/based/basing its decision on|base/bases/based/based/basing its prediction on|base/bases/based/based/basing itself on|be/is/was/been/being based on|be/is/was/been/being built on|turn on|be/is/was/been/being founded on|key on|weigh|use|notice|emphasise|emphasize|respond to|react to|lean into|go/goes/went/gone/going by|boil down to|come/comes/came/come/coming down to|be/is/was/been/being due to|be/is/was/been/being attributable to|be/is/was/been/being down to|follow from|stem/stems/stemmed/stemmed/stemming from|result from|owe much to|be/is/was/been/being swayed by|put/puts/put/put/putting weight on|give/gives/gave/given/giving weight to|place weight on|be/is/was/been/being rooted in|be/is/was/been/being grounded in|be/is/was/been/being drawn to|derive from|trace back to|weight|be/is/was/been/being made on the strength of|arise/arises/arose/arisen/arising from|be/is/was/been/being anchored in|be/is/was/been/being guided by|be/is/was/been/being led by|be/is/was/been/being moved by|be/is/was/been/being won over by|find/finds/found/found/finding support in|rest largely on|lean for support on",
    "DOMINATE": "dominate|carry|decide|win/wins/won/won/winning|settle",
}
BE = (
    "is|are|was|were|be|been|being|has been|have been|had been|remains|remain|remained|serves as|serve as|served as|acts as|act as|acted as|works as|work as|functions as|function as|becomes|became|"
    "stands as|emerges as|emerge as|ranks as|rank as|counts as|count as|proves|prove|proved|proves to be|proved to be|turns out to be|turned out to be|constitutes|constitute|comes out as|shows up as|stands out as|stand out as|is considered|are considered|was considered|"
    "is deemed|are deemed|were deemed|was deemed|is seen as|is regarded as|appears to be|seems to be|appear to be|seem to be|represents|represent|is clearly|are clearly|is also|are also|is treated as|figures as|figure as|has proven|can be seen as"
)
NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "dozen": 12,
}  # fmt: skip
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12, "runner up": 2, "next": 0,
}  # fmt: skip
PUNCTUATION = {
    ",": "COMMA", ";": "SEMI", ":": "COLON", ".": "STOP", "!": "STOP", "…": "STOP", "(": "LP", ")": "RP", "[": "LSQ", "]": "RSQ",
    "–": "DASH", "—": "DASH", "-": "DASH", "/": "SLASH", "&": "AND", "=": "EQUALS", "+": "PLUS", "•": "DASH", "→": "EQUALS",
}  # fmt: skip
# classes that the tokenizer gives: quotations and regions, labels, numbers, unknown tokens
MARKS = (
    "QP",
    "QL",
    "QPL",
    "QX",
    "QM",
    "BL",
    "PCT",
    "DEC",
    "INT",
    "FRAC",
    "ORDINAL",
    "UNKNOWN",
    *sorted(set(PUNCTUATION.values())),
)


_PASSIVES = frozenset(
    {"BELONGTO", "LIEIN", "COMEFROM", "GIVENTO"}
)  # classes in which "is given to" stands for "are given to", too


@cache
def word_classes() -> dict[str, frozenset[str]]:
    """Each known word or phrase, with hyphens as blanks, and the set of its classes."""
    known: dict[str, set[str]] = {}

    def put(phrase: str, name: str) -> None:
        known.setdefault(" ".join(phrase.replace("-", " ").split()), set()).add(name)

    for name, listed in WORDS.items():
        for phrase in filter(None, listed.split("|")):
            put(phrase, name)
            if name in _PASSIVES and phrase.startswith("is "):
                for form in ("are", "was", "were"):
                    put(form + phrase[2:], name)
    for phrase in BE.split("|"):
        put(phrase, "BE")
    for name, listed in VERBS.items():
        for verb in listed.split("|"):
            finite, gerund, participle = forms(verb)
            for form in finite:
                put(form, name)
            if verb.startswith("be/"):
                for form in ("are", "were", "has been", "have been"):
                    put(form + verb[verb.index(" ") :], name)
            put(gerund, f"{name}_G")
            put(participle, f"{name}_P")
    for phrase in ORDINALS:
        put(phrase, "ORDINAL")
    return {phrase: frozenset(names) for phrase, names in known.items()}
