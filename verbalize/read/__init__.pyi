from .reading import ReadSentence as ReadSentence
from .reading import read_claims as read_claims
from .reading import read_sentences as read_sentences
