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

# how much a thing is, how much it is heeded, and how far it can be left out: in a "'word' means ...", a verdict on the word
_AMOUNTS = """
little few fewer fewest many much enough anything bit bits tad touch trace traces iota jot whit scrap shred speck
ounce deal heap heaps load loads ton tons mass masses piles oodles abundance surplus excess plus minus nil nada zilch
nix naught nought nowt null void vacuous empty emptiness blank blanks zip squat diddly peanuts fig hoot damn straw
barely hardly scarcely nearly almost mere merely minor minimal minimally minimum maximum maximal maximally slight
slightly slightest slim scant scanty scarce meagre meager paltry petty puny tiny small smaller smallest faint faintly
modest modestly marginal marginally trivial trivially trivia trifle trifling negligible negligibly infinitesimal
minuscule minute microscopic lightweight featherweight weightless heavyweight inconsequential immaterial material
unimportant moot futile fruitless pointless useless useful usefully worthless worthwhile worthy worth meaningless
meaningful needless needed necessary necessity unnecessary optional redundant superfluous expendable dispensable
disposable replaceable secondary tertiary peripheral periphery incidental incidentally tangential subordinate
auxiliary accessory supplementary central centre center vital vitally imperative paramount momentous noteworthy
notable notably remarkable remarkably prominent prominence outsized considerable considerably substantial
substantially sizeable sizable enormous enormously massive massively immense immensely vast vastly tremendous
tremendously giant gigantic colossal mighty potent potency intense intensely intensity strength strengths weakness
extreme extremely greatly highly deeply utmost supreme overriding overwhelming overwhelmingly priority priorities
forefront foreground background backdrop backbone cornerstone linchpin keystone bedrock hinge hinges filler fillers
padding fluff noise noisy static clutter chaff dross waste rubbish consequence consequences consequential stress
stresses emphasis gravity magnitude size extent volume quantity sum total totals negligibility interest concern
concerns care cares caring business world ignorable clear clearest telltale clincher decider bottom line underlying
underpin underpins lie lies rest rests rely relies reliance reliant hang hangs ride rides spare spared save except
exception unless beyond above below behind over under
"""

_HEEDED = """
inert idle gone dead asleep dormant colourless colorless passive neutralised void gold
seen unseen heard unheard read unread heed heeds heeded unheeded mind minded minds consider considers considered
regard regards regarded look looks looked looking watch watches watched observe observes observed eye eyes gaze glance
sight blind deaf dumb mute muted silent silenced silence invisible visible hidden hide hides masked mask masks
transparent absent present missing missed miss misses lost forgotten forget forgets dropped drop drops discard
discards discarded dismiss dismissed dismisses skip skips skipped omit omits omitted omission excluded exclude
excludes included include includes removed remove removes deleted delete erased erase cut cuts pruned trimmed passed
pass bypassed shunned spurned rejected reject accepted accept set aside left unused used using counted uncounted
unnoticed noticed undetected detected detect sidelined suppressed suppress discounted discount downplayed played
preferred prefer favoured valued prized treasured
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

REFUSED_WORDS = frozenset(f"{_IMPORTANCE} {_AMOUNTS} {_HEEDED} {_REASONS} {_MODELS} {_LABELS}".split())
WEIGHING_WORDS = frozenset(f"{_IMPORTANCE} {_AMOUNTS} {_HEEDED}".split())  # these are refused in all their forms
POINTING_WORDS = frozenset(_POINTING.split())
PAST_WORDS = frozenset(_PAST.split())

# beginnings of words, in English and in the languages that borrow them or that a model may slip into
_ROOTS = """
import signific decis decid crucia critica pivot influen domin predic predik prognos vorhers classif klassi categor
kategor algorit modell comput statist percent prozent procent probab entscheid wichtig gewicht etiket etiqu score weight
saliens salien attribut determin conclu conclus indic sugger suggest eviden explan explic justif sentim confid certain
contribut respons reason razon raison grund main princip essen fundament relevan consequen therefor neural machin
maschin artific tensor softmax logit token http www
ignor overlook neglec neglig disregard attent attend inattent crucial vital trivial minim
maxim insubstan substan useless purpos prominen emphas
"""
ROOTS: tuple[str, ...] = tuple(_ROOTS.split())
DENIALS: tuple[str, ...] = ("un", "in", "im", "ir", "il", "non", "dis", "over", "under", "mis")  # "in-significant"

# words that say nothing by themselves: "'of' means something" speaks of its weight
_LIGHT = """
a an and or of to in on for by with from at as so very quite too pretty fairly is are be being been do does done some any
something someone anything thing things stuff people folk folks they them not no
"""
LIGHT_WORDS = frozenset(_LIGHT.split())

# words of grammar: what a remark says of their meaning is a verdict on them
FUNCTION_WORDS = (
    LIGHT_WORDS
    | POINTING_WORDS
    | PAST_WORDS
    | frozenset(
        [
            "but",
            "if",
            "than",
            "then",
            "into",
            "onto",
            "about",
            "after",
            "before",
            "between",
            "through",
            "during",
            "until",
            "while",
            "because",
            "although",
            "both",
            "each",
            "all",
            "which",
            "who",
            "whom",
            "whose",
            "where",
            "when",
            "how",
            "up",
            "down",
            "out",
            "off",
            "over",
            "under",
            "have",
            "has",
            "having",
            "can",
            "could",
            "will",
            "would",
            "may",
            "might",
            "must",
            "shall",
            "should",
            "am",
        ]
    )
)
