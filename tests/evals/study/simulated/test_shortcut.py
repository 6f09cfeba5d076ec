from evals.study import Item, Stimulus, shortcut_labels


def item(name, label, text, top):
    return Item(id=name, form="text", input=Stimulus(text, text), predicted=label, stimuli={"heatmap": Stimulus("", "", top)})


def test_the_other_items_that_hold_the_word_decide():
    items = [
        item("a", "good", "A great film", "great"),
        item("b", "good", "great!", "great"),
        item("c", "bad", "Great mess", "mess"),  # no other item holds "mess"
        item("d", "bad", "a GREAT bore", "GREAT"),  # case does not matter; a, b against c
        item("e", "bad", "nothing of note", ""),
    ]
    # a: b says good, c and d say bad -> bad. b: a good, c and d bad -> bad. d: a and b good, c bad -> good.
    assert shortcut_labels(items) == {("a", "heatmap"): "bad", ("b", "heatmap"): "bad", ("d", "heatmap"): "good"}


def test_a_tie_suggests_nothing():
    items = [item("a", "good", "x", "x"), item("b", "bad", "x", "x"), item("c", "good", "x", "x")]
    # a: b bad, c good: a tie. c likewise. b: a and c say good.
    assert shortcut_labels(items) == {("b", "heatmap"): "good"}
