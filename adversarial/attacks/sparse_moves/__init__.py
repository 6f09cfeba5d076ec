"""The search in L1 by scores: few pixels, each moved no farther than it must."""
