from .distances import DISTANCES as DISTANCES
from .distances import Distance as Distance
from .distances import all_distances as all_distances
from .distances import distance_function as distance_function
