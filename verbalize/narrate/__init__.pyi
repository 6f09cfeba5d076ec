from .narrator import Narrator as Narrator
