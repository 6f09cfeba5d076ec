"""The vocabulary of importance, as patterns over a marked sentence (see `marks`)."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re

from verbalize.read.marking.marks import L, N, P


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


SCORE = (
    r"(?:scores?|values?|weights?|weightings?|weightage|importances?|salienc(?:y|e|ies)|attributions?|relevance|significance|impacts?|"
    r"influences?|contributions?|contributors?|effects?|evidence|ratings?|bearing|role|pull|push|argument|indicators?|factors?|signals?|cues?)"
)
_SCORED = r"(?:scores?|scored|scoring|values?|weights?|weightings?|importances?|salienc(?:y|e)|attributions?|ratings?)"
IMPORTANT = (
    r"(?:important|salient|significant|influential|relevant|indicative|decisive|crucial|critical|essential|key|pivotal|vital|"
    r"impactful|prominent|central|dominant|telling|instrumental|predictive|consequential|informative|persuasive|weighty|"
    r"compelling|convincing|powerful|determining|heavily weighted|highly weighted)"
)
# verbs and related forms that say on which side a part is
_FOR = (
    r"(?:speak|speaks|spoke|speaking|argues?|arguing|votes?|voting|counts?|counting|weighs?|stands?|testif\w+|evidence|case|reasons?|arguments?|"
    r"support|works?|working) (?:\w+ )?(?:for|in favou?r of)\b"
)
SUPPORT = _pattern(
    rf"\b(?:{_FOR}|support(?:s|ed|ing|ive)?\b|favou?r(?:s|ed|ing)?\b|in favou?r of|contribut\w+|reinforc\w+|strengthen\w*|boost\w*|bolster\w*|"
    rf"drives?\b|driven\b|driving\b|drove\b|promot\w+|push(?:es|ed|ing)?\b|pull(?:s|ed|ing)?\b|tip(?:s|ped)?\b|nudg\w+|tilt\w*|steer\w*|lean(?:s|ed|ing)?\b|draw(?:s|n|ing)?\b|drew\b|rais(?:e|es|ed|ing)\b|increas\w+|"
    rf"lead(?:s|ing)? (?:\w+ ){{0,4}}to\b|led (?:\w+ ){{0,4}}to\b|caus(?:e|es|ed)\b|account(?:s|ed|ing)? for|responsible|shap(?:e|es|ed|ing)\b|"
    rf"determin(?:e|es|ed|ing)\b|convinc\w+|persuad\w+|sway\w*|us(?:ed|es|ing) (?:\w+ ){{0,2}}(?:by|to)\b|(?<!{L} )matter(?:s|ed)?\b|stand(?:s|ing)? out|stood out|"
    rf"carr(?:y|ies|ied)\b|play(?:s|ed)? (?:\w+ ){{0,3}}(?:role|part)|impact(?:s|ed|ful)?\b|influenc\w+|affect(?:s|ed)?\b|{IMPORTANT}\b|emphasis|look(?:s|ed|ing)? at|notic\w+|focus(?:es|ed)?\b|"
    rf"rel(?:y|ies|ied) (?:\w+ )?on|based (?:\w+ )?on|due to|because of|thanks to|owing to|as a result of|attributed to|weight\b|highlight\w*|made the (?:model|difference)|make it|"
    rf"corroborat\w+|confirm\w*|back(?:s|ed)? (?:up )?|vouch\w*|makes? {L}|credit\w*|determinant|attention|"
    rf"point(?:s|ed|ing)? (?:\w+ )?(?:to|towards?)|help(?:s|ed)?\b|justif\w+|"
    rf"positive(?:ly)?\b|high(?:er|est|ly)?\b|strong(?:ly|est|er)?\b|top\b|appeared|scores (?:given|assigned|attributed) to|(?:moderate|notable|sizeable) (?:\w+ )?(?:importance|scores?))"
)
OPPOSE = _pattern(
    rf"\b(?:against\b|oppos(?:e|es|ed|ing)\b|in opposition|contradict\w*|counter(?:s|ed|ing|act\w*)?\b|undermin\w+|undercut\w*|detract\w*|weaken\w*|"
    rf"mitigat\w+|reduc(?:e|es|ed|ing)\b|decreas(?:e|es|ed|ing)\b|diminish\w*|hinder\w*|inhibit\w*|suppress\w*|lower(?:s|ed|ing) (?:the|its|{L})|"
    rf"(?:pull|push|steer|point|lead|drive|move|mov|tak|take|driv|nudge|nudg)(?:s|es|ed|ing)? (?:\w+ ){{0,4}}away|away from|hurt(?:s|ing)?\b|harm(?:s|ed|ing)?\b|"
    rf"disfavou?r\w*|discourag\w+|offset(?:s|ting)?\b|temper(?:s|ed)?\b|drag(?:s|ged)? (?:\w+ ){{0,4}}down|less likely|at odds with|below zero|goes? against|conflicts?\b|in conflict with|clash\w*|militat\w+|does? no favou?rs|argues? otherwise|cast(?:s)? doubt|"
    rf"disagree\w*|work(?:s|ed|ing)? to the contrary|inconsistent with|contrary to|counter-?evidence|counterargument|"
    rf"negatively\b|negative(?:,)? (?!{L})(?:(?:\w+ ){{0,3}}(?:{SCORE}|direction|importance|one|ones|number|association|correlation|sign|side)\b)|"
    rf"(?:is|are|was|were|be|being|mostly|highly|strongly|most) negative\b(?! (?:sentiment|review|label|class|prediction|{L}))|score[sd]? negative\b)"
)
# verbs that are about the label only if a label follows directly
WEAK = _pattern(
    rf"\b(?:indicat\w+|suggest\w*|signal\w*|impl(?:y|ies|ied)|convey\w*|express\w*|reflect\w*|hint(?:s|ed)? at|mark(?:s|ed)?|mean(?:s|ing)?|"
    rf"show(?:s|ing)?|predict(?:s|ed|ing)?|mak(?:e|es|ing)|evidence of|sign of) "
    rf"(?:(?:that|the|this|a|an|it|is|was|be|as|to|of|review|text|article|image|picture|input|sentence|sentiment|model|classifier|label|class|topic|category|"
    rf"belongs|overall|strong|strongly|clear|clearly|generally|mostly|very|model's|analy[sz]er|to predict|predict) ){{0,7}}{L}"
    rf"(?!-| (?!sentiment|label|class|category|prediction|topic|review|outcome|tone|rather|instead|and|or|in|for|to|but|while|as|than|text|article|experience)\w)"
)
NOT = (
    r"(?:\bnot\b(?! only| just| merely| simply| least)|n't\b|n’t\b|\bcannot\b|\bnever\b|\bno\b(?! doubt| less than| matter how)|\bneither\b|\bnor\b|\bwithout\b|"
    r"\bhardly\b|\bbarely\b|\bscarcely\b|\bfail(?:s|ed|ing)? to\b|\black(?:s|ed|ing)?\b|\bfar from\b|\bnothing\b|\bnone\b)"
)
_UP_TO_4 = r"(?:[\w'-]+ ){0,4}"
NEGATED_OPPOSE = _pattern(rf"{NOT},? {_UP_TO_4}(?:{OPPOSE.pattern})")
NEGATED_SUPPORT = _pattern(
    rf"\b(?:do|does|did|doing) nothing (?:for|to support|in favou?r)|{NOT},? (?:[\w'-]+ ){{0,3}}(?:{_FOR}|support\w*|favou?r|contribut\w+|reinforc\w+|strengthen\w*|boost\w*|help\w*|"
    rf"point(?:s|ing)? (?:to|towards?)|drive|driv\w+|push|indicat\w+|suggest\w*|lead|positive)"
)
UNIMPORTANT = _pattern(
    rf"\b(?:unimportant|irrelevant|insignificant|negligible|immaterial|inconsequential|uninformative|uninfluential|meaningless|neutral|non-?salient)\b|"
    rf"\b(?:little|minimal|minor|scant|marginal|close to zero|near[- ]zero|zero|almost no|virtually no|no|slight|trivial|nil) "
    rf"(?:[\w'-]+ ){{0,3}}(?:{SCORE}|difference|part in)\b|"
    rf"{NOT},? {_UP_TO_4}(?:{IMPORTANT}|matter\w*|impact\w*|influenc\w*|affect\w*|weight|stand out|significance|play (?:\w+ ){{0,3}}role|importance|have (?:an? |any )?(?:\w+ ){{0,2}}(?:effect|bearing)|count|used)\b(?! (?:to|for) (?:the )?(?:main|rest|content|article's))|"
    rf"\b(?:hardly|barely|scarcely|little) (?:matters?|counts?|contributes?|affects?|influences?|impacts?|figures?|registers?)\b|"
    rf"\bignored\b|\b(?:close|near|next) to (?:zero|nothing|none)\b|\b(?:near|around|about|almost) zero\b|\bdisregarded\b|\bmatters? (?:very )?little\b|\bcontributes? (?:very |almost )?(?:little|nothing)\b"
)
LOW = _pattern(
    rf"\b(?:low|small|weak|tiny|modest|lower|smaller|weaker|lesser|slighter|reduced)\b(?:,)? (?:[\w'-]+ ){{0,3}}(?:{_SCORED}|impact|influence|contributions?|effect|evidence|role)\b|"
    rf"\b(?:less|not as|not so|not very|not particularly|least) (?:\w+ )?(?:{IMPORTANT})\b|\blesser extent\b|"
    rf"\b(?:score|rank|weigh|matter|contribute|count)(?:s|ed)? (?:\w+ )?(?:lower|less|low)\b|(?:scores?|importance|weights?) (?:\w+ ){{0,3}}(?:is|are|were|was) (?:\w+ )?(?:lower|low|smaller|small|less)\b"
)
_MORE = r"(?:more|higher|greater|stronger|larger|bigger|heavier|stronger|better|above)"
_LESS = r"(?:less|lower|smaller|weaker|fewer|lesser|below)"
_BETWEEN = rf"(?:[\w'-]+ |{L} ?|, ){{0,10}}?"
_THAN = r"(?:than|compared (?:to|with)|relative to|in comparison (?:to|with))"
_POINTER = r"(?:(?:that|those|the (?:one|ones|scores?|importance)) (?:of|for) |does |is |for |of |do |the )*"
REST = (
    r"(?:(?:any|every|all|each|the)(?: of)?(?: the)? (?:single )?(?:other|others|rest|remaining|else)\b(?: \w+)?|anything else|everything else|the rest\b|"
    r"any (?:word|part|region|token|phrase)\b|all (?:the )?(?:words|parts|regions|tokens)|others?\b|other (?:words|parts|regions|tokens)\b)"
)
MORE_THAN = _pattern(rf"\b{_MORE}\b,? {_BETWEEN}{_THAN} {_POINTER}(?P<object>{P}|{REST})")
LESS_THAN = _pattern(rf"\b{_LESS}\b,? {_BETWEEN}{_THAN} {_POINTER}(?P<object>{P}|{REST})")
NOT_AS = _pattern(rf"{NOT} (?:nearly |quite |anywhere near )?(?:as|so) {_BETWEEN}as {_POINTER}(?P<object>{P}|{REST})")
AS_AS = _pattern(
    rf"\b(?:as|so) {_BETWEEN}as {_POINTER}{P}|\bthe same (?:\w+ ){{0,2}}(?:{SCORE})|\bequally (?:{IMPORTANT}|strong)"
)
_OBJECT = rf"(?:the )?(?:\w+ ){{0,2}}?(?:(?:of|for|from|by) )?(?:the )?(?P<object>{P}|{REST})"
BEATS = _pattern(
    rf"\b(?:outweigh(?:s|ed|ing)?|outrank(?:s|ed)?|outscore[sd]?|exceed(?:s|ed)?|surpass(?:es|ed)?|dominat(?:es?|ed)|overshadow(?:s|ed)?|eclips(?:es?|ed)|beats?|trumps?|"
    rf"tops?|overpower(?:s|ed)?|outstrip(?:s|ped)?|dwarf(?:s|ed)?|ahead of|followed (?:\w+ )?by|(?:ranks?|scores?|stands?|sits?|placed|is|are|comes?) (?:\w+ )?(?:above|over|before)|takes? precedence over) {_OBJECT}"
)
BEATEN = _pattern(
    rf"\b(?:(?:outweighed|outranked|outscored|exceeded|surpassed|dominated|overshadowed|eclipsed|beaten|trumped|topped|overpowered|dwarfed|preceded) by|trails?|behind|falls? short of|"
    rf"second (?:only )?to|(?:ranks?|scores?|stands?|sits?|placed|is|are|comes?) (?:\w+ )?(?:below|under|after)) {_OBJECT}"
)
COMPARED = _pattern(
    rf"\b(?:compared (?:to|with)|in comparison (?:to|with)|relative to|unlike|in contrast to|than|as opposed to) {_POINTER}(?P<object>{P})"
)
PREFERRED = _pattern(rf"\b{_MORE}\b")
_SUPERLATIVE = r"(?:highest|strongest|greatest|largest|biggest|heaviest|top|main|primary|chief|principal|foremost|leading|predominant|dominant|key driving|single biggest|number one|maximum|peak|clearest|best)"
TOP = _pattern(
    rf"\bmost (?:\w+ly )?(?:{IMPORTANT}|weight|influence|impact|importance|evidence|attention|to (?:the |it\b|{L})|for\b|against\b|strongly|heavily|decisively|clearly|pronounced|negative\b|positive\b|responsible|contribut\w+|supportive|relevance)|"
    rf"\b(?:speaks?|contributes?|matters?|counts?|weighs?|supports?|opposes?|shaped|influenced|influences|impacts?|affects?|stands? out|focused on|drove|drives?) (?:\S+ ){{0,5}}?(?:the )?most\b|"
    rf"\b{_SUPERLATIVE} (?:[\w'-]+,? ){{0,4}}?(?:{SCORE}|words?|tokens?|phrases?|features?|factors?|parts?|regions?|support|supporters?|opponents?|reasons?|drivers?|driver|causes?|clues?|opposition|counter-?evidence|{P}|{N})\b|"
    rf"\b(?:ranks?|ranked|comes?|placed|is|scores?) (?:first|highest|number one|top)\b|\btops? the (?:list|ranking)|\b(?:primarily|mainly|chiefly|predominantly|mostly|above all|first and foremost) "
    rf"(?:because|due|driven|based|by|caused|on|owing|relies|supported|explained|from|the (?:word|phrase)|{P})|\bonly (?:\w+ )?(?:words?|tokens?|phrases?|parts?|features?|ones?) (?:\w+ ){{0,3}}(?:with|that ha|which ha|having|ha[sd])\w*(?: \w+){{0,2}} (?:high|importan|large|significant|strong|positive importance)|"
    rf"\bunmatched\b|\bunsurpassed\b|\bnothing (?:\w+ ){{0,3}}more\b|\bno (?:other )?(?:word|part|token|region|phrase)s? (?:[\w'-]+ ){{0,5}}?(?:more|higher|stronger|greater)|\bheads the list|\bstrongest\b|\bthe peak\b|\bdominat(?:es?|ed|ing) the (?:prediction|decision|map|label|outcome|explanation|result)|\bthe key (?:\w+ )?(?:drivers?|factors?|reasons?|words?|evidence|elements?|features?)\b|\bmost of all\b|\bthe decisive (?:word|factor|part|region)"
)
BOTTOM = _pattern(
    rf"\bleast (?:\w+ly )?(?:{IMPORTANT}|weight|influence|impact|importance|to\b)|\b(?:lowest|smallest|weakest|minimum) (?:[\w'-]+ ){{0,3}}(?:{SCORE}|words?|tokens?|parts?|regions?)"
)
RANKED = _pattern(
    r"\b(?:(?P<place>second|third|fourth|fifth|sixth|2nd|3rd|4th|5th)|next)[- ](?:most|highest|strongest|largest|biggest|greatest|in importance|place|in rank)|\b(?:ranks?|ranked|comes?|placed) (?P<at>second|third|fourth|fifth|2nd|3rd|4th|5th)\b|\brunner-?up\b"
)
PLACES = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5}
NEGATED_TOP = _pattern(rf"{NOT},? {_UP_TO_4}(?:{TOP.pattern})")
SHARED = _pattern(
    r"\bone of\b|\bamong\b|\bjointly\b|\bequally\b|\btied?\b|\bsome of\b|\bties\b|\btied\b|\balike\b|\bin equal measure\b"
)
GIVEN = _pattern(rf"\b(?:importance|saliency|attribution|relevance)\b|\b{_SCORED}\b")
POSITIVE = _pattern(
    rf"\bpositive(?:ly)? (?:(?:\w+ ){{0,2}}{SCORE}|scor\w+|contribut\w+|impact\w*|influenc\w*|affect\w*|attribut\w+|weight\w*)|\b(?:is|are|was|were) (?:\w+ly )?positive\b"
)

_PART_WORD = r"(?:part|word|token|phrase|region|area|feature|pixel|span|term|patch|one|piece|section)s?(?: (?:of|in) (?:the |this )?(?:text|picture|image|review|article|input|sentence))?"
NOTHING = _pattern(
    rf"\b(?:no|not a|not one|hardly any|no single|none of the) (?:\w+ )?{_PART_WORD} (?:\w+ )?(?:\w+ly )?(?P<verb>stands? out|stood out|speaks? (?:for|against)|spoke (?:for|against)|supports?|oppos\w+|contradicts?|undermines?|ha(?:s|ve) (?:an? |any )?(?:\w+ )?(?:positive|negative) (?:\w+ )?scores?|is (?:\w+ )?(?:important|salient)|are (?:\w+ )?(?:important|salient)|contribut\w+|matters?|argues? (?:for|against)|points? (?:to|towards?|away)|counts? (?:for|against))|"
    rf"\b(?:nothing|none)(?: (?:in|of) (?:the|this) (?:\w+ ?)(?:\w+)?)?(?: that| which)? (?P<verb2>stands? out|stood out|speaks? (?:for|against)|spoke (?:for|against)|supports?|opposes?|argues? (?:for|against)|points? (?:to|towards?|away)|counts? (?:for|against)|matters?|contradicts?|undermines?|is (?:\w+ )?(?:important|salient))|"
    rf"\b(?:no|without (?:any )?) ?(?:clear |real |strong |good |positive |negative )?(?:evidence|support|argument|reason)(?: (?P<verb3>for|against|that supports?|that speaks for|that speaks against|in favou?r|of))?|"
    rf"\b(?:every|each|all) (?:the )?(?:words?|tokens?|parts?|pixels?|regions?) (?:\w+ )?(?:scores? (?:zero|the same)|(?:is|are) equally important|ha(?:s|ve) (?:the same|equal|identical|zero|no) (?:\w+ )?(?:scores?|importance|weight))"
)
VOCABULARY = _pattern(
    r"\b(?:importan\w+|salien\w+|attribut\w+|influen\w+|relevan\w+|evidence|scores?|scored|weights?|weighted|contribut\w+|support\w*|oppos\w+|indicative|impact\w*|"
    r"significan\w+|decisive|crucial|stands? out|outweigh\w*|speaks? (?:\w+ )?(?:for|against)|undermin\w+|highlight\w*|driv(?:en|es?|ing)|pivotal|reli(?:es|ed)|because of|key|dominant|"
    r"main reason|main(?:ly)?|primar\w+|negative impact|positive impact|matter(?:s|ed)?|hing(?:es?|ed|ing) (?:up)?on|(?:boil|come)s? down to|account(?:s|ed)? for|the most)\b|%|per ?cent"
)
OUTER_FRAME = _pattern(
    r"^(?:[^,;]*? )?(?:predict\w*|classif\w*|label\w*) .{0,200}?(?P<reason>(?:(?:mainly|primarily|chiefly|mostly|predominantly|above all|largely) )?"
    r"\b(?:because|since|as a result of|due to|based (?:\w+ )?on|owing to|thanks to|on account of)\b(?: of)?)"
)
CONSEQUENCE = _pattern(
    r",? (?:which |that |thus |thereby |hence |therefore |so |and )?(?:likely |probably |possibly |also |may have |further )*(?:indicat(?:es?|ing|ed)|suggest(?:s|ing|ed)?|mean(?:s|ing)|impl(?:y|ies|ying)|show(?:s|ing)|signal(?:s|l?ing)|demonstrat(?:es?|ing)|reveal(?:s|ing))\b(?: that\b)?"
)
ANAPHOR = _pattern(
    rf"(?:^|[,;.] ?|\b(?:and|but|because|since|although|though|as|while|that|however,?|additionally,?|overall,?) )(?:both )?(?:these (?:two |three |\w+ |{L} )?(?:words?|phrases?|terms?|tokens?|parts?|regions?|spans?|ones|features|factors)|they|both(?: of them)?|this (?:word|phrase|term|part|region|span)|those (?:words?|phrases?|terms?)|the (?:two|former|latter) (?:words?|phrases?)?|it(?= (?:also |alone |then )?(?:has|is the|is more|is less|speaks?|supports?|opposes?|scores?|holds?|contributes?|outweighs?|carries|counts|argues|ranks|undermines|matters))) "
)
# words of rank or quantity; a sentence with one says more than a plain statement does
RANKISH = _pattern(
    r"\b(?:most|(?:more|less)(?! likely)|least|(?<!rather )(?<!other )than|mainly|primarily|chiefly|largely|above all|(?:high|strong|great|larg|bigg|heavi|weak|low|small)est|dominat\w+|decisive|top|leading|equally|"
    r"half|majority|bulk|twice|double|triple|main|sole|solely|exclusively|entirely|overwhelming\w*|nearly all|almost all|second|third|other words|any other)\b"
)
ONLY = _pattern(
    rf"\b(?:only|nothing but|solely|exclusively|entirely)(?: by| on| for| to)? {P}|{P} (?:alone|only|is the only|are the only|was the only|were the only)\b|\bthe only \w+ (?:that|which|to|speaking|supporting|opposing)\b"
)
ADDED = _pattern(
    r"\band (?:\w+ly |also |thus |therefore )*(?:contribut|support|reinforc|strengthen|oppos|speak|undermin|weaken|contradict|drive|increas|boost)\w*.*"
)
TOP_AFTER = _pattern(rf"\b(?:it|they|this|these)\b(?: \w+)? (?:is|are|was|were|has|have|had) (?:\w+ )?(?:{TOP.pattern})")
