"""Sentences about a map without a language model: each is filled from claims that hold, and can be read back into them.

The shapes, with P a part, F the query in full and "it" the query again ("that choice" where it is contrastive):

    P is    'great'  |  'great acting'  |  the second 'great'  |  the word at position 5  |  the words at positions 5 to 7
            (of a picture: the red region at the upper left  |  the region 'sky')
    F is    'A'  |  'A' rather than 'B'  |  'A' rather than 'B', 'C' or 'D'  |  the group 'G' ('A' or 'B')
            |  the group 'G' (12 classes)  |  the label  |  the label rather than the other label(s)     (labels masked)

    P is the most important word (part of the text, region) for F, with 46% of the evidence for it.
    The most important word for F is P, with 46% of the evidence for it.
    P speaks most for F, with 46% of the evidence for it.
    P and P are equally the most important words for F, each with 20% of the evidence for it.
    P and P are the most important parts of the text for F.
    P and P are among the most important words for F.                       P is among the most important words for F.
    The only word, P, speaks for F.                                         (against F)
    P (20%) and P (10%) also speak for it.
    P speaks most against it, with 60% of the evidence against it.          (every shape with "for" has one with "against")
    P (46%) is the most important word for F, followed by P (20%), P (10%) and P (5%).
    P is more important than P.
    The rest of the text holds 24% of the evidence for it.
    Nothing in the text (picture) speaks for F.
    No part of the text (picture) stands out for F: every word (pixel) scores zero (scores the same).
    The word » great « is most important for the prediction (46 %).         (style "smv": word, phrase or span)
    The phrase » fine acting « is also salient (20 %).

What the shapes mean. Quotes come in four kinds ('', "", «», 「」), chosen so that the quoted words hold neither mark, nor one
that looks like it; the first opening mark governs up to its own closing mark. White space in quotes is squeezed. An ordinal counts
the places of the whole quoted run of words, case and all (`verbalize._wording.WordIndex.places`); positions count words from 1.
A quoted name that follows "for", "against", "rather than", or stands in that list, is a label; every other is a part. A number in
brackets after a part is its share of the evidence in the sentence's direction, as is "with N% of the evidence". "Followed by"
says that each part is more important than the next. "Stands out" says nothing of a direction, "speaks for" and "against" do.
"""
