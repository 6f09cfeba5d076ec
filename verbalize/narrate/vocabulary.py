"""Words that a remark on the use of words has no need for: they speak of importance, reasons, numbers, models or labels.

A word is refused if it is one of `REFUSED_WORDS`, or begins with one of `ROOTS`. Honest remarks are lost by it now and then.
That costs nothing, because a text is complete without them.
"""

from __future__ import annotations

_IMPORTANCE = """
matter matters mattering weigh weighs weighing weight weights weighty weightier heavy heavily heavier heaviest key keys
main mainly major chief chiefly prime primary foremost top tops topmost most more less least best much mostly strong
strongly stronger strongest weak weakly weaker weakest big bigger biggest huge vital crux core heart pivot pivots
pivotal leading lead leads led role roles part parts play plays effect effects sway sways swing swings swung tip tips
tipped tipping scale scales balance tilt tilts push pushes pull pulls pulled drive drives driven drove driver force
forces power powers powerful shape shapes move moves carry carries carried lift lifts count counts counted counting
stake stakes bear bears focus focuses stand stands highlight highlights attention attend attends notice notices
spotlight salient salience impact impacts bring brings seal seals sealed deal clinch clinches clincher dealbreaker trump
trumps outweigh outweighs beat beats rank ranks ranked ranking place places first second third last rather relevant
irrelevant essential only alone solely just even ever never always nothing none everything all every each both half
twice thrice dozen hundred thousand million percent number numbers score scores scored scoring figure figures value
values point points pointed pointing rate rates rated rating grade grades level levels amount amounts degree ratio
fraction share shares majority minority bulk lot lots plenty double triple zero one two three four five six seven eight
nine ten eleven twelve once smoking gun guns red flag flags flagged culprit culprits list lists
"""

_REASONS = """
because cause causes caused causing reason reasons reasoning why therefore thus hence so since due thanks owing make
makes making made result results resulting explain explains explained explaining explanation account accounts basis
ground grounds evidence evident proof prove proves proved proven sign signs signal signals signaled clue clues hint
hints mark marks marker markers indicate indicates indicator indicators suggest suggests imply implies show shows
showing showed shown reveal reveals tell tells telling betray betrays give gives giveaway confirm confirms demonstrate
demonstrates support supports supporting supported oppose opposes against favor favors favour favours contradict
contradicts undermine undermines contribute contributes argue argues argument arguments case cases convince convinces
persuade persuades trigger triggers decide decides decided deciding decision decisions decisive determine determines
settle settles judge judges judged judging judgement judgment verdict verdicts conclude concludes conclusion outcome
outcomes answer answers choice choices choose chooses chosen pick picks picked select selects guess guesses bet bets
expect expects must should ought need needs will would could might may shall cannot depend depends depending responsible
blame credit
"""

_MODELS = """
model models machine machines computer computers network networks neural net algorithm algorithms classifier classifiers
ai bot bots robot robots system systems software program programs programme code tool tools detector detectors engine
engines filter filters data dataset datasets training trained train trains learn learns learned learning map maps
heatmap attribution attributions saliency gradient gradients feature features token tokens input inputs output outputs
text texts review reviewer reviewers author authors article sentence sentences passage document documents sample samples
example examples prompt prompts instruction instructions ignore obey user assistant gpt llm brain mind technology
automatic automated
"""

_LABELS = """
label labels labeled labelled labelling class classes classify classifies classified category categories categorise
categorize predict predicts predicted predicting prediction predictions predictor probability probabilities probable
probably likely unlikely likelihood chance chances odds confidence confident certain certainly certainty sure surely
doubt sentiment sentiments tag tags group groups topic topics type types positive positives positively negative
negatives negatively neutral true truth truly truthful false falsely right rightly wrong wrongly correct correctly
incorrect genuine genuinely fake faked honest honestly reliable trust trusts trusted trustworthy accurate accurately
error errors mistake mistakes bias biased fact facts real really verdict
"""

# words that point at one person or thing, at what was named before, or at what is not named at all
_POINTING = """
the this that these those here there now today its his hers her theirs my mine your yours our ours he she we us me i you
him himself herself itself myself yourself themselves it what whatever such same other another
"""

# of what happened once
_PAST = """
was were had did been said told made took got gave went came saw knew thought felt found left kept held let put brought
began became showed wrote stood heard led paid met won lost sent spoke
"""

REFUSED_WORDS = frozenset(f"{_IMPORTANCE} {_REASONS} {_MODELS} {_LABELS}".split())
POINTING_WORDS = frozenset(_POINTING.split())
PAST_WORDS = frozenset(_PAST.split())

# beginnings of words, in English and in the languages that borrow them or that a model may slip into
_ROOTS = """
import signific decis decid crucia critica pivot influen domin predic predik prognos vorhers classif klassi categor
kategor algorit modell comput statist percent prozent procent probab entscheid wichtig gewicht etiket etiqu score weight
saliens salien attribut determin conclu conclus indic sugger suggest eviden explan explic justif sentim confid certain
contribut respons reason razon raison grund main princip essen fundament relevan consequen therefor neural machin
maschin artific tensor softmax logit token http www
"""
ROOTS: tuple[str, ...] = tuple(_ROOTS.split())
