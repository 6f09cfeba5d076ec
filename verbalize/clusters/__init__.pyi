from .clustering import Cluster as Cluster
from .clustering import Clustering as Clustering
from .clustering import cluster_maps as cluster_maps
from .pictures import clusters_page as clusters_page
from .pictures import clusters_png as clusters_png
